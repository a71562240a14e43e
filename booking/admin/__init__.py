"""Django admin of bookings, and of the places whose changes change bookings."""

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
