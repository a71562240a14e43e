"""Checks of quotas: how much one person may book in a period. Pure.

A booking counts in the period in which it begins. Its elapsed minutes count in the periods in which
they lie. If a quota has a window, only the minutes in the window count, and only the bookings that
have such minutes.
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
    format_date,
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
    """Return the questions whose answers `check_quotas` needs for a booking of `wanted`."""
    if not room.policy.quotas or not is_countable(wanted):
        return ()
    return tuple(
        asked for quota in room.policy.quotas for asked in _questions_of(quota, wanted, room)
    )


def _questions_of(quota: Quota, wanted: Interval, room: RoomPolicy) -> Iterator[Question]:
    period = _period(quota, wanted.start, room)
    yield Question(quota, period)
    if wanted.end <= period.end:
        return
    only_begins = quota.max_minutes is None and quota.window is None
    if only_begins or wanted.duration > timedelta(minutes=room.policy.max_minutes):
        return  # `check_length` refuses it; do not count a hundred years day by day
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
    """Return the usage as it will be when `wanted` is booked in this room.

    A command that makes several bookings of one person counts each before it checks the next.
    """
    return tuple(_with_booking(one, wanted, room) for one in usage)


def _with_booking(usage: Usage, wanted: Interval, room: RoomPolicy) -> Usage:
    quota, period = usage.question
    part = _clipped(wanted, period)
    if part is None or not _applies_to(quota, room):
        return usage
    return usage._replace(
        bookings=usage.bookings + (wanted.start in period),
        minutes=usage.minutes + part.duration / ONE_MINUTE,
        intervals=(*usage.intervals, part) if quota.window else (),
    )


def check_quotas(
    request: BookingRequest, room: RoomPolicy, known: RoomContext, *, now: datetime
) -> list[RuleViolation]:
    """Return the quotas of the room that the person would exceed with this booking."""
    if not room.policy.quotas or request.person is None:
        return []
    asked = questions(request.interval, room)
    found = []
    for usage in known.usage or [Usage(question, 0, 0.0) for question in asked]:
        # `known` also has the periods of other rooms and of other dates of a series.
        if usage.question in asked:
            found.append(_check_bookings(usage, request.interval, room, now))
            found.append(_check_minutes(usage, request.interval, room, now))
    return [violation for violation in found if violation is not None]


def _applies_to(quota: Quota, room: RoomPolicy) -> bool:
    """Return whether bookings of this room count for the quota."""
    return quota.room_id in (None, room.id) and quota.building_id in (None, room.building_id)


def _check_bookings(
    usage: Usage, wanted: Interval, room: RoomPolicy, now: datetime
) -> RuleViolation | None:
    quota, period = usage.question
    if quota.max_count is None:
        return None
    if quota.window is None:
        used, adds = usage.bookings, wanted.start in period
    else:
        used = sum(_minutes_in_window(part, quota, room) > 0 for part in usage.intervals)
        adds = _minutes(wanted, usage.question, room) > 0
    if not adds or used < quota.max_count:
        return None
    bookings = "1 booking" if quota.max_count == 1 else f"{quota.max_count} bookings"
    sentence = f"You have used your {bookings} {_format_scope(usage.question, room, now)}."
    facts = {"limit": quota.max_count, "used": used, "left": 0}
    hint = f"You can book again from {format_instant(period.end, room.zone)}."
    return _violation(BookingErrorCode.QUOTA_OF_BOOKINGS, f"{sentence} {hint}", usage, facts)


def _check_minutes(
    usage: Usage, wanted: Interval, room: RoomPolicy, now: datetime
) -> RuleViolation | None:
    quota, period = usage.question
    if quota.max_minutes is None:
        return None
    adds = _minutes(wanted, usage.question, room)
    used = usage.minutes
    if quota.window is not None:
        used = sum(_minutes_in_window(part, quota, room) for part in usage.intervals)
    if not adds or used + adds <= quota.max_minutes:
        return None
    left = max(0.0, quota.max_minutes - used)
    scope = _format_scope(usage.question, room, now)
    limit, again = format_minutes(quota.max_minutes), format_instant(period.end, room.zone)
    sentence = f"You have used your {limit} {scope}. You can book again from {again}."
    if left:
        sentence = (
            f"You have {format_minutes(left)} left of your {limit} {scope}. Shorten the booking, "
            f"or book a time from {again} on."
        )
    facts = {"limit": quota.max_minutes, "used": used, "left": left}
    return _violation(BookingErrorCode.QUOTA_OF_MINUTES, sentence, usage, facts)


def _violation(code: str, sentence: str, usage: Usage, facts: Mapping[str, float]) -> RuleViolation:
    period = shown(usage.question.period)
    return RuleViolation(code, sentence, "quotas", {**facts, "period": period})


def _format_scope(question: Question, room: RoomPolicy, now: datetime) -> str:
    """Return place and period of a quota as text: `in Dogger for today`, `for March 2026`."""
    quota, period = question
    if quota.room_id is not None:
        place = f"in {room.name} "
    else:
        place = "" if quota.building_id is None else "in this building "
    is_rolling = quota.period is QuotaPeriod.WEEK and quota.week_starts is None
    if now in period and not is_rolling:
        present = {QuotaPeriod.DAY: "today", QuotaPeriod.WEEK: "this week"}
        return f"{place}for {present.get(quota.period, 'this month')}"
    first = period.start.astimezone(room.zone).date()
    match quota.period:
        case QuotaPeriod.DAY:
            return f"{place}for {format_date(first)}"
        case QuotaPeriod.WEEK:
            return f"{place}for the 7 days from {format_date(first)}"
        case QuotaPeriod.MONTH:
            return f"{place}for {first:%B %Y}"


def _minutes(wanted: Interval, question: Question, room: RoomPolicy) -> float:
    """Return the elapsed minutes of `wanted` that count in the period of the question."""
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


def _clipped(interval: Interval, period: Interval) -> Interval | None:
    start, end = max(interval.start, period.start), min(interval.end, period.end)
    return Interval(start, end) if start < end else None
