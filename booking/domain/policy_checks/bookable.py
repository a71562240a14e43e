"""Whether a room can be booked from an instant on, and when the answer changes. Pure.

The live state and the list of free rooms use these functions. A screen shows a room as free exactly
if `evaluate` accepts the shortest booking of a person who may book the room.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, RoomContext
from booking.domain.error_codes import BookingErrorCode
from booking.domain.free_time import gaps, merge
from booking.domain.policy_checks.evaluate import evaluate
from booking.domain.policy_checks.hard_limits import MAX_LENGTH
from booking.domain.policy_checks.opening_hours import check_gap_in_hours, check_opening_hours
from booking.domain.policy_checks.time_limits import latest_allowed
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import ONE_DAY, day_bounds, start_of_day
from rooms.domain.effective_policy import EffectivePolicy, MeasuredTo, RoomPolicy
from rooms.domain.opening_hours import covered_until, intervals_on

TICK = timedelta(milliseconds=1)  # the live state keeps instants to the millisecond
OPENS_WITHIN = 400 * ONE_DAY  # more than a year: the exceptions of a policy close a year at most
FURTHER_NOTICE = datetime.max.replace(tzinfo=UTC)  # the end of a closure without one
HOURS_CODES = frozenset({BookingErrorCode.OUTSIDE_OPENING_HOURS, BookingErrorCode.GAP_LEAVES_HOURS})


def shortest_length(policy: EffectivePolicy) -> timedelta:
    """Return the length of the shortest booking: a multiple of the step, not under the minimum.

    The maximum is MAX_LENGTH. If the rules of a room allow no length, `evaluate` refuses this one.
    """
    steps = -(-policy.min_minutes // policy.step_minutes)
    return min(timedelta(minutes=steps * policy.step_minutes), MAX_LENGTH)


def refusal_at(room: RoomPolicy, known: RoomContext, at: datetime) -> str | None:
    """Return the error code of the shortest booking from `at` on; None if it is accepted.

    The booking is evaluated for a person who may book here, has quota left, and is not a room
    manager.
    """
    wanted = Interval(at, at + shortest_length(room.policy))
    try:
        evaluate(BookingRequest(wanted, person=None), room, known, now=at)
    except MeetingRoomsError as refused:
        return refused.code
    return None


def free_until(room: RoomPolicy, known: RoomContext, start: datetime, before: datetime) -> datetime:
    """Return the latest end of a booking that begins at `start`; `before` is the maximum.

    The end is limited by the next booking and its gap, by the next closure, by the closing time,
    and, if the room takes one booking a day, by the day of the next booking. The maximum length of
    a booking is ignored.
    """
    ends = [before]
    for other in known.neighbours:
        if other.interval.start >= start:
            ends.append(other.interval.start - gap_beside(room, other))
            if room.policy.one_booking_a_day:
                day = other.interval.start.astimezone(room.zone).date()
                ends.append(start_of_day(day, room.zone))
    ends += [closure.start for closure in known.closures if closure.start >= start]
    end = min(ends)
    if end <= start:
        return start
    gap = timedelta(0) if room.policy.gap_may_leave_hours else _gap(room)
    closes = covered_until(room.policy, room.zone, Interval(start, end + gap))
    return max(start, min(end, closes - gap))


def bookable_again(
    room: RoomPolicy, known: RoomContext, now: datetime, before: datetime
) -> datetime | None:
    """Return when a room that cannot be booked at `now` can be booked again.

    None if that is not before `before`, and for a room that requires notice or allows no length:
    such a room can never be booked from the same instant on. For a room that is closed at `now`,
    return the next opening time, even if the room is booked then.
    """
    refusal = refusal_at(room, known, now)
    if room.policy.notice_minutes or shortest_length(room.policy) > _longest(room.policy):
        return None
    if refusal in HOURS_CODES:
        return _opens_after(room, now)
    instants = turning_points(room, known, now, before)
    return next((at for at in instants if refusal_at(room, known, at) is None), None)


def open_times(room: RoomPolicy, interval: Interval) -> list[Interval]:
    """Return the open intervals of the room within `interval`, in order.

    Intervals that touch, as of two days that are open all day, become one.
    """
    policy = room.policy
    if not policy.hours and not policy.exceptions:
        return [interval]
    days = _dates(room, interval.start - ONE_DAY, interval.end + ONE_DAY)
    found = merge(each for day in days for each in intervals_on(policy, room.zone, day))
    return [
        Interval(max(one.start, interval.start), min(one.end, interval.end))
        for one in found
        if one.overlaps(interval)
    ]


def taken_times(room: RoomPolicy, known: RoomContext) -> list[Interval]:
    """Return the intervals that bookings and closures take, unsorted; they may overlap.

    A booking takes its time and the gap on both sides. In a room that takes one booking a day it
    takes its local days.
    """
    found = []
    for other in known.neighbours:
        gap = gap_beside(room, other)
        found.append(Interval(other.interval.start - gap, other.interval.end + gap))
        if room.policy.one_booking_a_day:
            found += [
                day_bounds(day, room.zone)
                for day in _dates(room, other.interval.start, other.interval.end - TICK)
            ]
    found += [Interval(one.start, one.end or FURTHER_NOTICE) for one in known.closures]
    return found


def bookable_times(
    room: RoomPolicy, known: RoomContext, interval: Interval, *, now: datetime
) -> list[Interval]:
    """Return the parts of `interval` that can be booked, for a person who has quota left.

    Each part is at least as long as the shortest booking. Steps and the maximum length of a booking
    are ignored.
    """
    policy, length = room.policy, shortest_length(room.policy)
    gap = timedelta(0) if policy.gap_may_leave_hours else _gap(room)
    start, end = max(interval.start, now + timedelta(minutes=policy.notice_minutes)), interval.end
    if policy.advance_measured_to is MeasuredTo.END:
        end = min(end, latest_allowed(policy, room.zone, now=now))
    if start + length > end:
        return []
    open_for = [
        Interval(one.start, one.end - gap)
        for one in open_times(room, Interval(start, end + gap))
        if one.start < one.end - gap
    ]
    within = Interval(start, end)
    free = gaps([*taken_times(room, known), *gaps(open_for, within)], within)
    return [one for one in free if one.duration >= length]


def turning_points(
    room: RoomPolicy, known: RoomContext, after: datetime, before: datetime
) -> list[datetime]:
    """Return all instants in (after, before) at which `refusal_at` may change, in order.

    A booking that starts its own length before a limit still fits, so the change is one TICK later.
    `known` is taken as constant: the caller must handle bookings that lapse.
    """
    found = {*_beside_bookings(room, known), *_beside_closures(room, known)}
    found.update(_at_opening_and_closing(room, after, before))
    found.update(_at_midnights(room, after, before))
    return sorted(at for at in found if after < at < before)


def gap_beside(room: RoomPolicy, other: BookingData) -> timedelta:
    """Return the time that must stay free between `other` and a booking of this room."""
    return timedelta(minutes=max(room.policy.gap_minutes, room.gaps.get(other.room_id, 0)))


def _beside_bookings(room: RoomPolicy, known: RoomContext) -> Iterator[datetime]:
    length = shortest_length(room.policy)
    for other in known.neighbours:
        gap = gap_beside(room, other)
        yield other.interval.start - length + TICK
        yield other.interval.start - gap - length + TICK
        yield other.interval.end
        yield other.interval.end + gap


def _beside_closures(room: RoomPolicy, known: RoomContext) -> Iterator[datetime]:
    for closure in known.closures:
        yield closure.start - shortest_length(room.policy) + TICK
        if closure.end is not None:
            yield closure.end


def _at_opening_and_closing(
    room: RoomPolicy, after: datetime, before: datetime
) -> Iterator[datetime]:
    policy = room.policy
    if not policy.hours and not policy.exceptions:
        return
    length, gap = shortest_length(policy), _gap(room)
    days = _dates(room, after - ONE_DAY, before + length + gap + ONE_DAY)
    for open_for in merge(each for day in days for each in intervals_on(policy, room.zone, day)):
        yield open_for.start
        yield open_for.end - length + TICK
        if not policy.gap_may_leave_hours:
            yield open_for.end - gap - length + TICK


def _at_midnights(room: RoomPolicy, after: datetime, before: datetime) -> Iterator[datetime]:
    """Yield the starts at which the shortest booking begins or ceases to touch a local day.

    Yield nothing if no rule of the room counts by days.
    """
    policy, length = room.policy, shortest_length(room.policy)
    is_window_near = length >= (policy.advance_days - 2) * ONE_DAY
    if not policy.one_booking_a_day and not is_window_near:
        return
    for day in _dates(room, after, before + length + ONE_DAY):
        midnight = start_of_day(day, room.zone)
        yield midnight
        yield midnight - length + TICK


def _opens_after(room: RoomPolicy, after: datetime) -> datetime | None:
    """Return the next opening time with enough open time for the shortest booking; None if none."""
    for day in _dates(room, after, after + OPENS_WITHIN):
        for open_for in intervals_on(room.policy, room.zone, day):
            wanted = Interval(open_for.start, open_for.start + shortest_length(room.policy))
            if open_for.start > after and not (
                check_opening_hours(wanted, room) or check_gap_in_hours(wanted, room)
            ):
                return open_for.start
    return None


def _dates(room: RoomPolicy, first: datetime, last: datetime) -> Iterator[date]:
    day, end = first.astimezone(room.zone).date(), last.astimezone(room.zone).date()
    while day <= end:
        yield day
        day += ONE_DAY


def _gap(room: RoomPolicy) -> timedelta:
    return timedelta(minutes=room.policy.gap_minutes)


def _longest(policy: EffectivePolicy) -> timedelta:
    return timedelta(minutes=policy.max_minutes)
