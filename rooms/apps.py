"""Django application of `rooms`."""

from django.apps import AppConfig


class RoomsConfig(AppConfig):
    """Registers the app."""

    name = "rooms"
    verbose_name = "Rooms"
