"""Checks that a booking, and the gap after it, lie within the opening hours. Pure."""

from datetime import date, timedelta
from typing import Any

from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import shown
from booking.domain.policy_checks.rule_violation import (
    RuleViolation,
    format_date,
    format_instant,
    format_minutes,
)
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy
from rooms.domain.opening_hours import (
    covered_until,
    intervals_on,
    is_open_throughout,
    periods_on,
)


def check_opening_hours(wanted: Interval, room: RoomPolicy) -> RuleViolation | None:
    """Refuse what reaches outside the room's opening hours, and tell those of the day it misses."""
    policy, zone = room.policy, room.zone
    if is_open_throughout(policy, zone, wanted):
        return None
    day = covered_until(policy, zone, wanted).astimezone(zone).date()
    exception = policy.exceptions.get(day)
    facts: dict[str, Any] = {
        "date": day.isoformat(),
        "open": [shown(stretch) for stretch in intervals_on(policy, zone, day)],
    }
    if exception is not None:
        facts |= {"reason": exception.reason, "is_holiday": exception.is_holiday}
    rule = "hours" if exception is None else "exceptions"
    return RuleViolation(BookingErrorCode.OUTSIDE_OPENING_HOURS, _told(room, day), rule, facts)


def _told(room: RoomPolicy, day: date) -> str:
    exception = room.policy.exceptions.get(day)
    when = f"{day:%A}" if exception is None else format_date(day)
    why = "" if exception is None else f": {exception.reason}"
    if not (periods := periods_on(room.policy, day)):
        return f"{room.name} is closed on {when}{why}. Choose another day."
    spans = " and ".join(f"{opens:%H:%M} to {closes:%H:%M}" for opens, closes in periods)
    return f"On {when} {room.name} is open {spans}{why}. Choose a time within."


def check_gap_in_hours(wanted: Interval, room: RoomPolicy) -> RuleViolation | None:
    """Refuse what leaves no time to turn the room around before it closes, where that counts."""
    policy, zone = room.policy, room.zone
    if policy.gap_may_leave_hours or not policy.gap_minutes:
        return None
    gap = timedelta(minutes=policy.gap_minutes)
    whole = Interval(wanted.start, wanted.end + gap)
    if is_open_throughout(policy, zone, whole) or not is_open_throughout(policy, zone, wanted):
        return None  # or the hours themselves are broken, and told
    latest = covered_until(policy, zone, whole) - gap
    return RuleViolation(
        BookingErrorCode.GAP_LEAVES_HOURS,
        f"{room.name} takes {format_minutes(policy.gap_minutes)} to turn around before it closes. "
        f"End by {format_instant(latest, zone)}.",
        "gap_may_leave_hours",
        {"gap_minutes": policy.gap_minutes, "latest_end": latest.isoformat()},
    )
