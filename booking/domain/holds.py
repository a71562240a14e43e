"""How long a hold lasts, and how many holds one person may have. Pure.

A hold keeps a slot while a person fills in the booking form. Holds are short, so that a forgotten
page does not block a room; an open form renews its hold.
"""

from datetime import datetime, timedelta

from booking.domain.booking_data import BookingData
from meeting_rooms.kernel.interval import Interval

HOLD_LASTS = timedelta(minutes=2)  # without renewal
HOLD_LASTS_AT_MOST = timedelta(minutes=6)  # with any number of renewals
MAX_HOLDS = 3  # holds of one person at one time, in all rooms together
HOLD_TITLE = "Held"  # the person has not entered a title yet


def first_end(now: datetime) -> datetime:
    """Return the instant at which a hold that begins at `now` expires."""
    return now + HOLD_LASTS


def renewed_end(hold: BookingData, *, now: datetime) -> datetime:
    """Return the instant at which the hold expires if it is renewed at `now`.

    The result is never earlier than before: an offer from the waitlist lasts longer than other
    holds, and renewing does not shorten it.
    """
    end = min(now + HOLD_LASTS, hold.created_at + HOLD_LASTS_AT_MOST)
    return max(end, hold.lapses_at or end)


def is_same_slot(hold: BookingData, room_id: int, wanted: Interval) -> bool:
    """Return whether the hold is of exactly this room and interval."""
    return hold.room_id == room_id and hold.interval == wanted
