"""How long a hold lasts, and how many one person may have. Pure.

A hold keeps a slot for somebody who is in the middle of booking it. It is short, so that nobody is
kept from a room by a forgotten page, and renewed while its owner is at work.
"""

from datetime import datetime, timedelta

from booking.domain.booking_data import BookingData
from meeting_rooms.kernel.interval import Interval

HOLD_LASTS = timedelta(minutes=2)  # unless renewed
HOLD_LASTS_AT_MOST = timedelta(minutes=6)  # however often it is renewed
MAX_HOLDS = 3  # live ones of one person, over all rooms
HOLD_TITLE = "Held"  # what is being booked has no title yet


def first_end(now: datetime) -> datetime:
    """Return when a hold that begins at `now` runs out."""
    return now + HOLD_LASTS


def renewed_end(hold: BookingData, *, now: datetime) -> datetime:
    """Return when the hold runs out if it is renewed at `now`: never earlier than before.

    An offer to somebody who waited lasts longer than a hold; renewing does not shorten it.
    """
    end = min(now + HOLD_LASTS, hold.created_at + HOLD_LASTS_AT_MOST)
    return max(end, hold.lapses_at or end)


def is_same_slot(hold: BookingData, room_id: int, wanted: Interval) -> bool:
    """Say whether this hold is already of the very slot."""
    return hold.room_id == room_id and hold.interval == wanted
