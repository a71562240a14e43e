"""Django admin of bookings and closures, and of the places whose changes affect bookings."""

from booking.admin.bookings import AuditEntryAdmin, BookingAdmin
from booking.admin.closures import ClosureAdmin
from booking.admin.places import BookableRoomAdmin, BuildingWithZoneAdmin

__all__ = [
    "AuditEntryAdmin",
    "BookableRoomAdmin",
    "BookingAdmin",
    "BuildingWithZoneAdmin",
    "ClosureAdmin",
]
