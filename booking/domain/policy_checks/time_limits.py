"""Checks of length, step, notice, advance window and number of attendees. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from booking.domain.booking_request import BookingRequest
from booking.domain.error_codes import BookingErrorCode
from booking.domain.policy_checks.rule_violation import (
    RuleViolation,
    format_date,
    format_instant,
    format_minutes,
)
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import ONE_DAY, first_instant, last_instant, start_of_day
from rooms.domain.effective_policy import AdvanceMode, EffectivePolicy, MeasuredTo, RoomPolicy
from rooms.domain.opening_hours import opening_before

NOTHING = timedelta(0)
ONE_MINUTE = timedelta(minutes=1)


def check_length(wanted: Interval, policy: EffectivePolicy) -> RuleViolation | None:
    """Refuse what is too short or too long, in real minutes whatever the clocks do."""
    minutes = wanted.duration / ONE_MINUTE
    if policy.min_minutes <= minutes <= policy.max_minutes:
        return None
    facts = {"min_minutes": policy.min_minutes, "max_minutes": policy.max_minutes}
    if minutes < policy.min_minutes:
        told = f"A booking lasts at least {format_minutes(policy.min_minutes)}."
        return RuleViolation(BookingErrorCode.TOO_SHORT, told, "min_minutes", facts)
    told = f"A booking lasts at most {format_minutes(policy.max_minutes)}."
    return RuleViolation(BookingErrorCode.TOO_LONG, told, "max_minutes", facts)


def check_step(request: BookingRequest, room: RoomPolicy, *, now: datetime) -> RuleViolation | None:
    """Refuse a length, or a start counted from the opening time, that is between two steps.

    The start of a booking that begins at once is not asked for a step: at the door, by a page and
    over REST alike.
    """
    wanted, policy = request.interval, room.policy
    if policy.step_minutes == 1:
        return None
    step = timedelta(minutes=policy.step_minutes)
    told = f"Bookings go by steps of {format_minutes(policy.step_minutes)}"
    if (rest := wanted.duration % step) != NOTHING:
        shorter = (wanted.duration - rest) // ONE_MINUTE
        lengths = [n for n in (shorter, shorter + policy.step_minutes) if n]
        likely = " or ".join(map(format_minutes, lengths))
        facts = {"step_minutes": policy.step_minutes, "lengths_minutes": lengths}
        return RuleViolation(
            BookingErrorCode.LENGTH_NOT_IN_STEPS, f"{told}. Choose {likely}.", "step_minutes", facts
        )
    if request.is_standing or wanted.start <= now:
        return None
    opened = opening_before(policy, room.zone, wanted.start)
    if opened is None or (rest := (wanted.start - opened) % step) == NOTHING:
        return None
    starts = [wanted.start - rest, wanted.start - rest + step]
    likely = " or ".join(f"{start.astimezone(room.zone):%H:%M}" for start in starts)
    opens = f"{opened.astimezone(room.zone):%H:%M}"
    return RuleViolation(
        BookingErrorCode.START_NOT_IN_STEPS,
        f"{told}, counted from the opening at {opens}. Start at {likely}.",
        "step_minutes",
        {"step_minutes": policy.step_minutes, "starts": [start.isoformat() for start in starts]},
    )


def check_notice(wanted: Interval, room: RoomPolicy, *, now: datetime) -> RuleViolation | None:
    """Refuse what begins too soon to be prepared for."""
    notice = room.policy.notice_minutes
    if not notice:
        return None
    earliest = now + timedelta(minutes=notice)
    if wanted.start >= earliest:
        return None
    told = format_instant(earliest, room.zone)
    return RuleViolation(
        BookingErrorCode.TOO_SHORT_NOTICE,
        f"{room.name} is booked at least {format_minutes(notice)} ahead: from {told} on.",
        "notice_minutes",
        {"notice_minutes": notice, "earliest_start": earliest.isoformat()},
    )


def check_advance(wanted: Interval, room: RoomPolicy, *, now: datetime) -> RuleViolation | None:
    """Refuse what lies beyond the advance window."""
    policy = room.policy
    by_start = policy.advance_measured_to is MeasuredTo.START
    measured = wanted.start if by_start else wanted.end
    # No zone moves its clock by more than a day, so this much is inside in either mode.
    if measured <= now + timedelta(days=policy.advance_days - 2):
        return None
    latest = latest_allowed(policy, room.zone, now=now)
    is_calendar = policy.advance_mode is AdvanceMode.CALENDAR_DAYS
    if measured < latest or (measured == latest and not (by_start and is_calendar)):
        return None
    told = format_instant(latest, room.zone)
    if is_calendar:
        told = f"the end of {format_date((latest.astimezone(room.zone) - ONE_DAY).date())}"
    what = "begin" if by_start else "end"
    return RuleViolation(
        BookingErrorCode.TOO_FAR_AHEAD,
        f"Bookings of {room.name} {what} by {told}.",
        "advance_days",
        {
            "advance_days": policy.advance_days,
            "measured_to": policy.advance_measured_to.value,
            "latest": latest.isoformat(),
        },
    )


def latest_allowed(policy: EffectivePolicy, zone: ZoneInfo, *, now: datetime) -> datetime:
    """Return where the advance window ends: at a local midnight, or at this very wall time."""
    local = now.astimezone(zone)
    last = local.date() + timedelta(days=policy.advance_days)
    if policy.advance_mode is AdvanceMode.CALENDAR_DAYS:
        return start_of_day(last + ONE_DAY, zone)
    wall = datetime.combine(last, local.time())
    return last_instant(wall, zone) if local.fold else first_instant(wall, zone)


def check_capacity(request: BookingRequest, room: RoomPolicy) -> RuleViolation | None:
    """Refuse, or only flag, more attendees than seats; the rule says which."""
    if request.attendees is None or request.attendees <= room.capacity:
        return None
    return RuleViolation(
        BookingErrorCode.OVER_CAPACITY,
        f"{room.name} seats {room.capacity}. Choose a larger room or fewer attendees.",
        "capacity_rule",
        {"capacity": room.capacity},
    )
