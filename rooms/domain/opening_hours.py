"""Opening hours as instants. Pure.

Opening hours are local times of the room. If the clock skips an opening or closing time, that time
takes effect at the clock change. If a local time occurs twice, the room opens at the first
occurrence and closes at the second.
"""

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import (
    MIDNIGHT,
    ONE_DAY,
    first_instant,
    last_instant,
    start_of_day,
)
from rooms.domain.effective_policy import EffectivePolicy, Period

ALL_DAY: tuple[Period, ...] = ((MIDNIGHT, MIDNIGHT),)


def joined(periods: Iterable[Period]) -> tuple[Period, ...]:
    """Return the periods of one day in order. Periods that touch or overlap are merged."""
    kept: list[Period] = []
    for opens, closes in sorted(periods):
        if kept and (kept[-1][1] == MIDNIGHT or opens <= kept[-1][1]):
            before, until = kept[-1]
            later = MIDNIGHT if MIDNIGHT in (until, closes) else max(until, closes)
            kept[-1] = (before, later)
        else:
            kept.append((opens, closes))
    return tuple(kept)


def periods_on(policy: EffectivePolicy, day: date) -> tuple[Period, ...]:
    """Return the opening periods of a local date, from its exception or else its weekday."""
    if (exception := policy.exceptions.get(day)) is not None:
        return exception.periods
    return policy.hours.get(day.weekday(), ()) if policy.hours else ALL_DAY


def is_open_throughout(policy: EffectivePolicy, zone: ZoneInfo, wanted: Interval) -> bool:
    """Return whether every instant of `wanted` lies in opening hours.

    Two days that are both open at midnight form one interval, so a booking may cross midnight.
    """
    if not policy.hours and not policy.exceptions:
        return True
    start, end = wanted.start.astimezone(zone), wanted.end.astimezone(zone)
    if start.date() == end.date():
        opens_by, closes_by = start.time(), end.time()
        for opens, closes in periods_on(policy, start.date()):
            if opens <= opens_by and (closes_by <= closes or closes == MIDNIGHT):
                return True
    return covered_until(policy, zone, wanted) >= wanted.end


def covered_until(policy: EffectivePolicy, zone: ZoneInfo, wanted: Interval) -> datetime:
    """Return the first instant of `wanted` at which the room is closed, or an instant after it."""
    covered_to, day = wanted.start, wanted.start.astimezone(zone).date()
    while covered_to < wanted.end:
        reached = covered_to
        for interval in intervals_on(policy, zone, day):
            if covered_to in interval:
                covered_to = interval.end
        day += ONE_DAY
        if covered_to == reached or covered_to < start_of_day(day, zone):
            break
    return covered_to


def intervals_on(policy: EffectivePolicy, zone: ZoneInfo, day: date) -> list[Interval]:
    """Return the intervals of a local date in which the room is open, in order."""
    intervals = (interval_on(day, period, zone) for period in periods_on(policy, day))
    return [interval for interval in intervals if interval is not None]


@lru_cache(maxsize=4096)
def interval_on(day: date, period: Period, zone: ZoneInfo) -> Interval | None:
    """Return a period of a local date as an interval; None if the clock skips all of it."""
    opens, closes = period
    start = first_instant(datetime.combine(day, opens), zone)
    if closes == MIDNIGHT:
        end = start_of_day(day + ONE_DAY, zone)
    else:
        end = last_instant(datetime.combine(day, closes), zone)
    return Interval(start, end) if start < end else None


def opening_before(policy: EffectivePolicy, zone: ZoneInfo, instant: datetime) -> datetime | None:
    """Return the start of the opening period around `instant`; None if there is no such period."""
    if not policy.hours and not policy.exceptions:
        return None
    day = instant.astimezone(zone).date()
    return next((s.start for s in intervals_on(policy, zone, day) if instant in s), None)
