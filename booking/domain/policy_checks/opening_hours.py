"""Checks of opening hours: a booking, and the gap after it, must be within them. Pure."""

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
    """Refuse a booking that is partly outside the opening hours.

    The facts have the opening hours of the first local day with a part outside.
    """
    policy, zone = room.policy, room.zone
    if is_open_throughout(policy, zone, wanted):
        return None
    day = covered_until(policy, zone, wanted).astimezone(zone).date()
    exception = policy.exceptions.get(day)
    facts: dict[str, Any] = {
        "date": day.isoformat(),
        "open": [shown(interval) for interval in intervals_on(policy, zone, day)],
    }
    if exception is not None:
        facts |= {"reason": exception.reason, "is_holiday": exception.is_holiday}
    rule = "hours" if exception is None else "exceptions"
    sentence = _format_hours(room, day)
    return RuleViolation(BookingErrorCode.OUTSIDE_OPENING_HOURS, sentence, rule, facts)


def _format_hours(room: RoomPolicy, day: date) -> str:
    """Return the sentence about the opening hours of the room on this local day."""
    exception = room.policy.exceptions.get(day)
    when = f"{day:%A}" if exception is None else format_date(day)
    why = "" if exception is None else f": {exception.reason}"
    if not (periods := periods_on(room.policy, day)):
        return f"{room.name} is closed on {when}{why}. Choose another day."
    hours = " and ".join(f"from {opens:%H:%M} to {closes:%H:%M}" for opens, closes in periods)
    return f"On {when} {room.name} is open {hours}{why}. Choose a time within these hours."


def check_gap_in_hours(wanted: Interval, room: RoomPolicy) -> RuleViolation | None:
    """Refuse a booking whose gap would end after closing time, if the room requires that gap."""
    policy, zone = room.policy, room.zone
    if policy.gap_may_leave_hours or not policy.gap_minutes:
        return None
    gap = timedelta(minutes=policy.gap_minutes)
    with_gap = Interval(wanted.start, wanted.end + gap)
    if is_open_throughout(policy, zone, with_gap) or not is_open_throughout(policy, zone, wanted):
        return None  # a booking outside the hours breaks `check_opening_hours` already
    latest = covered_until(policy, zone, with_gap) - gap
    return RuleViolation(
        BookingErrorCode.GAP_LEAVES_HOURS,
        f"{room.name} needs {format_minutes(policy.gap_minutes)} between a booking and closing "
        f"time. End by {format_instant(latest, zone)}.",
        "gap_may_leave_hours",
        {"gap_minutes": policy.gap_minutes, "latest_end": latest.isoformat()},
    )
