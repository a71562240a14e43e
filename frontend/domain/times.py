"""Texts of instants and durations on a board: in the room's zone, 24 hours, minutes only."""

from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS_A_WEEKDAY_IS_CLEAR = 6  # days; seven days away, the weekday alone would mean today


def local_time(at: datetime, timezone: str, now: datetime) -> str:
    """Return `13:00`, `Mon 09:00` on another local day, or `24 Nov` a week or more away."""
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
    """Return `2 h 36 min`, rounded up to full minutes, as a clock without seconds shows.

    The minimum is 1 min: at the end of an interval, a push replaces the text within a second.
    `board.js` updates the text with the same words.
    """
    minutes = max(1, ceil(length.total_seconds() / 60))
    hours, rest = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part
    )
