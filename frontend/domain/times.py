"""Instants as people at the door read them: the room's own zone, 24 hours, minutes only."""

from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS_A_WEEKDAY_IS_CLEAR = 6  # a week from today the bare weekday would name the wrong day


def local_time(at: datetime, timezone: str, now: datetime) -> str:
    """Return `13:00`, `Mon 09:00` on another local day, or `24 Nov` when a week or more away."""
    zone = ZoneInfo(timezone)
    local = at.astimezone(zone)
    days = (local.date() - now.astimezone(zone).date()).days
    clock = f"{local:%H:%M}"
    if days == 0:
        return clock
    if abs(days) <= _DAYS_A_WEEKDAY_IS_CLEAR:
        return f"{_WEEKDAYS[local.weekday()]} {clock}"
    return f"{local.day} {_MONTHS[local.month - 1]}"


def span(length: timedelta) -> str:
    """Return `2 h 36 min`, rounded up to whole minutes so that it agrees with a minute clock.

    Never less than a minute: the push that ends a stretch arrives within a second of the instant.
    `board.js` writes the same words as the minutes pass.
    """
    minutes = max(1, ceil(length.total_seconds() / 60))
    hours, rest = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part
    )
