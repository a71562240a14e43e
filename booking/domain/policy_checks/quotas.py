"""How much one person may book. Pure.

A booking counts in the period in which it begins, its real minutes in the periods in which they
lie. Where a quota has a window, both count only where they touch it.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from booking.domain.booking_request import BookingRequest, Question, RoomContext, Usage
from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import shown
from booking.domain.policy_checks.hard_limits import is_countable
from booking.domain.policy_checks.rule_violation import (
    RuleViolation,
    format_instant,
    format_minutes,
)
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import ONE_DAY, day_bounds, start_of_day
from rooms.domain.effective_policy import Quota, QuotaPeriod, RoomPolicy
from rooms.domain.opening_hours import interval_on

WEEK = timedelta(days=7)
ONE_MINUTE = timedelta(minutes=1)


def questions(wanted: Interval, room: RoomPolicy) -> tuple[Question, ...]:
    """Return what must be known of the person's bookings to apply the room's quotas."""
    if not room.policy.quotas or not is_countable(wanted):
        return ()
    return tuple(asked for quota in room.policy.quotas for asked in _asked(quota, wanted, room))


def _asked(quota: Quota, wanted: Interval, room: RoomPolicy) -> Iterator[Question]:
    period = _period(quota, wanted.start, room)
    yield Question(quota, period)
    if wanted.end <= period.end:
        return
    only_begins = quota.max_minutes is None and quota.window is None
    if only_begins or wanted.duration > timedelta(minutes=room.policy.max_minutes):
        return  # what is too long is told so, without counting a hundred years day by day
    while period.end < wanted.end:
        period = _period(quota, period.end, room)
        yield Question(quota, period)


def _period(quota: Quota, instant: datetime, room: RoomPolicy) -> Interval:
    return _period_of(quota, instant.astimezone(room.zone).date(), room.zone)


@lru_cache(maxsize=4096)
def _period_of(quota: Quota, day: date, zone: ZoneInfo) -> Interval:
    match quota.period:
        case QuotaPeriod.DAY:
            first, last = day, day
        case QuotaPeriod.WEEK:
            since = 0 if quota.week_starts is None else (day.weekday() - quota.week_starts) % 7
            first = day - since * ONE_DAY
            last = first + WEEK - ONE_DAY
        case QuotaPeriod.MONTH:
            first = day.replace(day=1)
            last = _last_of_month(first)
    return Interval(start_of_day(first, zone), start_of_day(last + ONE_DAY, zone))


def _last_of_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - ONE_DAY


def counted(usage: Collection[Usage], wanted: Interval, room: RoomPolicy) -> tuple[Usage, ...]:
    """Return the usage as it will be once `wanted` is booked in this room.

    For a command that makes several bookings of one person: each counts for the next.
    """
    return tuple(_counted(one, wanted, room) for one in usage)


def _counted(usage: Usage, wanted: Interval, room: RoomPolicy) -> Usage:
    quota, period = usage.question
    part = _clipped(wanted, period)
    if part is None or not _is_about(quota, room):
        return usage
    return usage._replace(
        bookings=usage.bookings + (wanted.start in period),
        minutes=usage.minutes + part.duration / ONE_MINUTE,
        stretches=(*usage.stretches, part) if quota.window else (),
    )


def check_quotas(
    request: BookingRequest, room: RoomPolicy, known: RoomContext
) -> list[RuleViolation]:
    """Refuse what the person's quotas do not leave room for."""
    if not room.policy.quotas or request.person is None:
        return []
    asked = questions(request.interval, room)
    found = []
    for usage in known.usage or [Usage(question, 0, 0.0) for question in asked]:
        # Other rooms, and other dates of a series, asked about other periods of the same quota.
        if usage.question in asked:
            found.append(_of_bookings(usage, request.interval, room))
            found.append(_of_minutes(usage, request, room))
    return [broken for broken in found if broken is not None]


def _is_about(quota: Quota, room: RoomPolicy) -> bool:
    """Say whether bookings of this room count for the quota."""
    return quota.room_id in (None, room.id) and quota.building_id in (None, room.building_id)


def _of_bookings(usage: Usage, wanted: Interval, room: RoomPolicy) -> RuleViolation | None:
    quota, period = usage.question
    if quota.max_count is None:
        return None
    if quota.window is None:
        used, adds = usage.bookings, wanted.start in period
    else:
        used = sum(_minutes_in_window(part, quota, room) > 0 for part in usage.stretches)
        adds = _minutes(wanted, usage.question, room) > 0
    if not adds or used < quota.max_count:
        return None
    times = "once" if quota.max_count == 1 else f"{quota.max_count} times"
    told = f"You may book {_place(quota, room)} {times} a {quota.period}, and have."
    facts = {"limit": quota.max_count, "used": used, "left": 0}
    return _broken(BookingErrorCode.QUOTA_OF_BOOKINGS, told, usage, room, facts)


def _of_minutes(usage: Usage, request: BookingRequest, room: RoomPolicy) -> RuleViolation | None:
    quota = usage.question.quota
    if quota.max_minutes is None:
        return None
    adds = _minutes(request.interval, usage.question, room)
    used = usage.minutes
    if quota.window is not None:
        used = sum(_minutes_in_window(part, quota, room) for part in usage.stretches)
    if not adds or used + adds <= quota.max_minutes:
        return None
    left = max(0.0, quota.max_minutes - used)
    told = (
        f"You may book {_place(quota, room)} for {format_minutes(quota.max_minutes)} a "
        f"{quota.period}, and {format_minutes(left)} of it are left."
    )
    facts = {"limit": quota.max_minutes, "used": used, "left": left}
    return _broken(BookingErrorCode.QUOTA_OF_MINUTES, told, usage, room, facts)


def _broken(
    code: str, told: str, usage: Usage, room: RoomPolicy, facts: Mapping[str, float]
) -> RuleViolation:
    period = usage.question.period
    again = f"You can book again from {format_instant(period.end, room.zone)}."
    return RuleViolation(code, f"{told} {again}", "quotas", {**facts, "period": shown(period)})


def _place(quota: Quota, room: RoomPolicy) -> str:
    if quota.room_id is not None:
        return room.name
    return "rooms" if quota.building_id is None else "rooms of this building"


def _minutes(wanted: Interval, question: Question, room: RoomPolicy) -> float:
    """Return the real minutes of it that count in the period."""
    part = _clipped(wanted, question.period)
    if part is None:
        return 0.0
    if question.quota.window is None:
        return part.duration / ONE_MINUTE
    return _minutes_in_window(part, question.quota, room)


def _minutes_in_window(part: Interval, quota: Quota, room: RoomPolicy) -> float:
    if quota.window is None:
        return part.duration / ONE_MINUTE
    day = part.start.astimezone(room.zone).date()
    total = 0.0
    while (window := day_bounds(day, room.zone)).start < part.end:
        open_for = interval_on(day, quota.window, room.zone)
        shared = open_for and _clipped(part, open_for)
        total += shared.duration / ONE_MINUTE if shared else 0.0
        day = window.end.astimezone(room.zone).date()
    return total


def _clipped(stretch: Interval, period: Interval) -> Interval | None:
    start, end = max(stretch.start, period.start), min(stretch.end, period.end)
    return Interval(start, end) if start < end else None
