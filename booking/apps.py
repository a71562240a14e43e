"""Django application of `booking`."""

from django.apps import AppConfig


class BookingConfig(AppConfig):
    """Registers the app."""

    name = "booking"
    verbose_name = "Bookings"
