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
    """Refuse a booking that is too short or too long, in elapsed minutes."""
    minutes = wanted.duration / ONE_MINUTE
    if policy.min_minutes <= minutes <= policy.max_minutes:
        return None
    facts = {"min_minutes": policy.min_minutes, "max_minutes": policy.max_minutes}
    if minutes < policy.min_minutes:
        sentence = f"The booking is too short. The minimum is {format_minutes(policy.min_minutes)}."
        return RuleViolation(BookingErrorCode.TOO_SHORT, sentence, "min_minutes", facts)
    sentence = f"The booking is too long. The maximum is {format_minutes(policy.max_minutes)}."
    return RuleViolation(BookingErrorCode.TOO_LONG, sentence, "max_minutes", facts)


def check_step(request: BookingRequest, room: RoomPolicy, *, now: datetime) -> RuleViolation | None:
    """Refuse a length that is not a multiple of the step, or a start that is not on a step.

    Steps of the start are counted from the opening time. The start of a booking that begins now is
    not checked: at the door, on a page and in REST.
    """
    wanted, policy = request.interval, room.policy
    if policy.step_minutes == 1:
        return None
    step = timedelta(minutes=policy.step_minutes)
    steps = format_minutes(policy.step_minutes)
    if (rest := wanted.duration % step) != NOTHING:
        shorter = (wanted.duration - rest) // ONE_MINUTE
        lengths = [n for n in (shorter, shorter + policy.step_minutes) if n]
        likely = " or ".join(map(format_minutes, lengths))
        facts = {"step_minutes": policy.step_minutes, "lengths_minutes": lengths}
        sentence = f"The length must be a multiple of {steps}. Choose {likely}."
        return RuleViolation(BookingErrorCode.LENGTH_NOT_IN_STEPS, sentence, "step_minutes", facts)
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
        f"The start must be a multiple of {steps} after the opening at {opens}. Start at {likely}.",
        "step_minutes",
        {"step_minutes": policy.step_minutes, "starts": [start.isoformat() for start in starts]},
    )


def check_notice(wanted: Interval, room: RoomPolicy, *, now: datetime) -> RuleViolation | None:
    """Refuse a booking that begins earlier than the required notice allows."""
    notice = room.policy.notice_minutes
    if not notice:
        return None
    earliest = now + timedelta(minutes=notice)
    if wanted.start >= earliest:
        return None
    start = format_instant(earliest, room.zone)
    return RuleViolation(
        BookingErrorCode.TOO_SHORT_NOTICE,
        f"{room.name} must be booked {format_minutes(notice)} or more in advance. Start at {start} "
        "or later.",
        "notice_minutes",
        {"notice_minutes": notice, "earliest_start": earliest.isoformat()},
    )


def check_advance(wanted: Interval, room: RoomPolicy, *, now: datetime) -> RuleViolation | None:
    """Refuse a booking that is after the advance window."""
    policy = room.policy
    by_start = policy.advance_measured_to is MeasuredTo.START
    measured = wanted.start if by_start else wanted.end
    # No time zone moves its clock by more than a day, so two days less are inside in both modes.
    if measured <= now + timedelta(days=policy.advance_days - 2):
        return None
    latest = latest_allowed(policy, room.zone, now=now)
    is_calendar = policy.advance_mode is AdvanceMode.CALENDAR_DAYS
    if measured < latest or (measured == latest and not (by_start and is_calendar)):
        return None
    limit = format_instant(latest, room.zone)
    if is_calendar:
        limit = f"the end of {format_date((latest.astimezone(room.zone) - ONE_DAY).date())}"
    verb = "begin" if by_start else "end"
    return RuleViolation(
        BookingErrorCode.TOO_FAR_AHEAD,
        f"The time is too far ahead. Bookings of {room.name} must {verb} by {limit}.",
        "advance_days",
        {
            "advance_days": policy.advance_days,
            "measured_to": policy.advance_measured_to.value,
            "latest": latest.isoformat(),
        },
    )


def latest_allowed(policy: EffectivePolicy, zone: ZoneInfo, *, now: datetime) -> datetime:
    """Return the end of the advance window.

    This is a local midnight or, in mode `strict`, the present local time on the last day.
    """
    local = now.astimezone(zone)
    last = local.date() + timedelta(days=policy.advance_days)
    if policy.advance_mode is AdvanceMode.CALENDAR_DAYS:
        return start_of_day(last + ONE_DAY, zone)
    wall = datetime.combine(last, local.time())
    return last_instant(wall, zone) if local.fold else first_instant(wall, zone)


def check_capacity(request: BookingRequest, room: RoomPolicy) -> RuleViolation | None:
    """Return a violation if there are more attendees than seats.

    The caller refuses or only flags the booking, as `capacity_rule` says.
    """
    if request.attendees is None or request.attendees <= room.capacity:
        return None
    return RuleViolation(
        BookingErrorCode.OVER_CAPACITY,
        f"{room.name} has {room.capacity} seats. Choose a larger room or fewer attendees.",
        "capacity_rule",
        {"capacity": room.capacity},
    )
