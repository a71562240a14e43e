"""Django application of `realtime`."""

from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    """Registers the app."""

    name = "realtime"
    verbose_name = "Live state"
