"""Checks of the gap to other bookings and of one booking a day. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, RoomContext
from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import shown_all
from booking.domain.policy_checks.hard_limits import is_countable
from booking.domain.policy_checks.rule_violation import (
    RuleViolation,
    format_date,
    format_instant,
    format_minutes,
)
from booking.domain.states import BookingState
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import ONE_DAY, start_of_day
from rooms.domain.effective_policy import RoomPolicy


def interval_to_read(wanted: Interval, room: RoomPolicy) -> Interval:
    """Return the interval whose bookings must be read to evaluate a booking of `wanted`."""
    minutes = max(room.gaps.values(), default=room.policy.gap_minutes)
    if not (minutes or room.policy.one_booking_a_day) or not is_countable(wanted):
        return wanted
    gap = timedelta(minutes=minutes)
    around = Interval(wanted.start - gap, wanted.end + gap)
    if not room.policy.one_booking_a_day:
        return around
    days = _local_days(wanted, room)
    return Interval(min(around.start, days.start), max(around.end, days.end))


def own_holds(
    neighbours: Sequence[BookingData], wanted: Interval, person: UUID | None
) -> list[BookingData]:
    """Return the person's own holds that overlap `wanted`: these do not block the person."""
    return [
        other
        for other in neighbours
        if other.state is BookingState.HELD
        and other.organizer_id == person is not None
        and other.interval.overlaps(wanted)
    ]


def check_gap(
    request: BookingRequest, room: RoomPolicy, known: RoomContext
) -> RuleViolation | None:
    """Refuse a booking that leaves too short a gap before it or after it.

    Between two bookings the larger of the two rooms' gaps must be free, not the sum.
    """
    if not known.neighbours:
        return None
    wanted, earliest, latest, widest = request.interval, None, None, 0
    for other in known.neighbours:
        if other.id in request.replaces or other.interval.overlaps(wanted):
            continue
        minutes = max(room.policy.gap_minutes, room.gaps.get(other.room_id, 0))
        gap = timedelta(minutes=minutes)
        if other.interval.end <= wanted.start < other.interval.end + gap:
            free = other.interval.end + gap
            earliest, widest = max(earliest or free, free), max(widest, minutes)
        elif wanted.end <= other.interval.start < wanted.end + gap:
            free = other.interval.start - gap
            latest, widest = min(latest or free, free), max(widest, minutes)
    bounds = [("Start", "from", earliest), ("End", "by", latest)]
    hints = [f"{verb} {by} {format_instant(at, room.zone)}." for verb, by, at in bounds if at]
    if not hints:
        return None
    return RuleViolation(
        BookingErrorCode.GAP_TOO_SHORT,
        f"{room.name} needs {format_minutes(widest)} between two bookings. {' '.join(hints)}",
        "gap_minutes",
        {
            "gap_minutes": widest,
            "earliest_start": earliest and earliest.isoformat(),
            "latest_end": latest and latest.isoformat(),
        },
    )


def check_day(
    request: BookingRequest, room: RoomPolicy, known: RoomContext
) -> RuleViolation | None:
    """Refuse a second booking on a local day, if the room takes one booking a day."""
    if not room.policy.one_booking_a_day or not known.neighbours:
        return None
    days = _local_days(request.interval, room)
    taken = [
        other.interval
        for other in known.neighbours
        if other.id not in request.replaces and other.interval.overlaps(days)
    ]
    if not taken:
        return None
    day = max(days.start, min(taken).start).astimezone(room.zone).date()
    return RuleViolation(
        BookingErrorCode.DAY_TAKEN,
        f"{room.name} takes one booking a day and is booked on {format_date(day)}. Choose another "
        "day.",
        "one_booking_a_day",
        {"date": day.isoformat(), "taken": shown_all(taken)},
    )


def _local_days(wanted: Interval, room: RoomPolicy) -> Interval:
    """Return the local days that `wanted` overlaps, from midnight to midnight."""
    first = wanted.start.astimezone(room.zone).date()
    last = (wanted.end - wanted.end.resolution).astimezone(room.zone).date()
    return Interval(start_of_day(first, room.zone), start_of_day(last + ONE_DAY, room.zone))
