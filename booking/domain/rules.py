"""What a person may ask for, judged without a store. Pure.

Every refusal is an InvalidCommandError with a stable code and a sentence that says what would do.
"""

import unicodedata
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from booking.domain.states import BookingState
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.opening import Hours, is_open_throughout

MAX_TITLE_LENGTH = 200
DEFAULT_TITLE = "Meeting"
MAX_DURATION = timedelta(hours=24)
MAX_AHEAD = timedelta(days=730)
LATE_START_GRACE = timedelta(minutes=15)  # a form filled in slowly still books "now"
CHECK_IN_OPENS_BEFORE = timedelta(minutes=10)
CHECK_IN_GRACE = timedelta(minutes=10)


def clean_title(title: str) -> str:
    """Return the title without outer blanks, or the default for none."""
    title = title.strip() or DEFAULT_TITLE
    if len(title) > MAX_TITLE_LENGTH:
        raise InvalidCommandError(
            f"The title has {len(title)} characters; at most {MAX_TITLE_LENGTH} fit.",
            code="title_too_long",
        )
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in title):
        raise InvalidCommandError(
            "The title has a control character or a line break. Remove it.", code="title_not_text"
        )
    return title


def check_times(wanted: Interval, *, now: datetime) -> None:
    """Refuse what lies in the past, beyond the horizon, or is longer than a day."""
    if wanted.start < now - LATE_START_GRACE or wanted.end <= now:
        raise InvalidCommandError(
            "This time is in the past. Choose a start from now on.", code="in_the_past"
        )
    if wanted.duration > MAX_DURATION:
        hours = int(MAX_DURATION.total_seconds() // 3600)
        raise InvalidCommandError(f"A booking lasts at most {hours} hours.", code="too_long")
    if wanted.end > now + MAX_AHEAD:
        latest = (now + MAX_AHEAD).date().isoformat()
        raise InvalidCommandError(f"Bookings are open until {latest}.", code="too_far_ahead")


def check_opening_hours(wanted: Interval, *, hours: Hours, zone: ZoneInfo) -> None:
    """Refuse what reaches outside the room's opening hours."""
    if is_open_throughout(hours, zone, wanted):
        return
    day = wanted.start.astimezone(zone)
    entry = hours.get(day.weekday())
    told = (
        f"On {day:%A} the room is open {entry[0]:%H:%M} to {entry[1]:%H:%M}."
        if entry
        else f"The room is closed on {day:%A}."
    )
    raise InvalidCommandError(f"{told} Choose a time within.", code="outside_opening_hours")


def check_in_deadline(wanted: Interval, *, now: datetime) -> datetime | None:
    """Return the instant at which the slot is given back unless somebody came.

    None for a walk-up: whoever books a slot that has begun is there.
    """
    if wanted.start <= now:
        return None
    return min(wanted.start + CHECK_IN_GRACE, wanted.end)


def first_state(wanted: Interval, *, now: datetime) -> BookingState:
    """Return the state of a new booking: a walk-up counts as checked in."""
    return BookingState.CHECKED_IN if wanted.start <= now else BookingState.CONFIRMED
