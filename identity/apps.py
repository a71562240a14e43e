"""Django application of `identity`."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """Registers the app."""

    name = "identity"
    verbose_name = "People and access"
