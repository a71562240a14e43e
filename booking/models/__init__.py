"""The database models of booking. Fields and constraints only."""

from booking.models.bookings import AuditEntry, Booking, IdempotencyReceipt, as_range
from booking.models.feeds import FeedToken
from booking.models.ledger import PersonLedger
from booking.models.series import Series, SkippedDate
from booking.models.waiting import WaitingEntry

__all__ = [
    "AuditEntry",
    "Booking",
    "FeedToken",
    "IdempotencyReceipt",
    "PersonLedger",
    "Series",
    "SkippedDate",
    "WaitingEntry",
    "as_range",
]
