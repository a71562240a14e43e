"""The rules about opening hours. Pure."""

from datetime import date, timedelta
from typing import Any

from booking.domain.refusals import shown
from booking.domain.rules.broken import Broken, told_date, told_instant, told_minutes
from meeting_rooms.kernel.interval import Interval
from rooms.domain.opening import (
    covered_until,
    is_open_throughout,
    periods_on,
    stretches_on,
)
from rooms.domain.rulebook import RoomRules


def check_opening_hours(wanted: Interval, room: RoomRules) -> Broken | None:
    """Refuse what reaches outside the room's opening hours, and tell those of the day it misses."""
    book, zone = room.book, room.zone
    if is_open_throughout(book, zone, wanted):
        return None
    day = covered_until(book, zone, wanted).astimezone(zone).date()
    exception = book.exceptions.get(day)
    facts: dict[str, Any] = {
        "date": day.isoformat(),
        "open": [shown(stretch) for stretch in stretches_on(book, zone, day)],
    }
    if exception is not None:
        facts |= {"reason": exception.reason, "is_holiday": exception.is_holiday}
    rule = "hours" if exception is None else "exceptions"
    return Broken("outside_opening_hours", _told(room, day), rule, facts)


def _told(room: RoomRules, day: date) -> str:
    exception = room.book.exceptions.get(day)
    when = f"{day:%A}" if exception is None else told_date(day)
    why = "" if exception is None else f": {exception.reason}"
    if not (periods := periods_on(room.book, day)):
        return f"{room.name} is closed on {when}{why}. Choose another day."
    spans = " and ".join(f"{opens:%H:%M} to {closes:%H:%M}" for opens, closes in periods)
    return f"On {when} {room.name} is open {spans}{why}. Choose a time within."


def check_gap_in_hours(wanted: Interval, room: RoomRules) -> Broken | None:
    """Refuse what leaves no time to turn the room around before it closes, where that counts."""
    book, zone = room.book, room.zone
    if book.gap_may_leave_hours or not book.gap_minutes:
        return None
    gap = timedelta(minutes=book.gap_minutes)
    whole = Interval(wanted.start, wanted.end + gap)
    if is_open_throughout(book, zone, whole) or not is_open_throughout(book, zone, wanted):
        return None  # or the hours themselves are broken, and told
    latest = covered_until(book, zone, whole) - gap
    return Broken(
        "gap_leaves_hours",
        f"{room.name} takes {told_minutes(book.gap_minutes)} to turn around before it closes. "
        f"End by {told_instant(latest, zone)}.",
        "gap_may_leave_hours",
        {"gap_minutes": book.gap_minutes, "latest_end": latest.isoformat()},
    )
