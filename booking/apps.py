"""Django application of `booking`."""

from django.apps import AppConfig


class BookingConfig(AppConfig):
    """The configuration of the app `booking`."""

    name = "booking"
    verbose_name = "Bookings"
