"""Django application of `realtime`."""

from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    """The configuration that Django loads for `realtime`."""

    name = "realtime"
    verbose_name = "Live state"
