"""Opening hours as instants. Pure.

Hours are wall times of the room's zone. An opening or closing time that the clock jumps over takes
effect when it jumps; of one that comes twice, the first opens and the last closes.
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
    """Return the periods of one day in order; those that touch or overlap become one."""
    kept: list[Period] = []
    for opens, closes in sorted(periods):
        if kept and (kept[-1][1] == MIDNIGHT or opens <= kept[-1][1]):
            before, until = kept[-1]
            later = MIDNIGHT if MIDNIGHT in (until, closes) else max(until, closes)
            kept[-1] = (before, later)
        else:
            kept.append((opens, closes))
    return tuple(kept)


def periods_on(book: EffectivePolicy, day: date) -> tuple[Period, ...]:
    """Return when the room is open on a local date: an exception's periods, or the weekday's."""
    if (exception := book.exceptions.get(day)) is not None:
        return exception.periods
    return book.hours.get(day.weekday(), ()) if book.hours else ALL_DAY


def is_open_throughout(book: EffectivePolicy, zone: ZoneInfo, wanted: Interval) -> bool:
    """Say whether every instant of `wanted` lies in opening hours.

    Days that touch at midnight count as one stretch, so a booking may run over it.
    """
    if not book.hours and not book.exceptions:
        return True
    start, end = wanted.start.astimezone(zone), wanted.end.astimezone(zone)
    if start.date() == end.date():
        opens_by, closes_by = start.time(), end.time()
        for opens, closes in periods_on(book, start.date()):
            if opens <= opens_by and (closes_by <= closes or closes == MIDNIGHT):
                return True
    return covered_until(book, zone, wanted) >= wanted.end


def covered_until(book: EffectivePolicy, zone: ZoneInfo, wanted: Interval) -> datetime:
    """Return the first instant of `wanted` at which the room is closed, or an instant past it."""
    covered_to, day = wanted.start, wanted.start.astimezone(zone).date()
    while covered_to < wanted.end:
        reached = covered_to
        for stretch in stretches_on(book, zone, day):
            if covered_to in stretch:
                covered_to = stretch.end
        day += ONE_DAY
        if covered_to == reached or covered_to < start_of_day(day, zone):
            break
    return covered_to


def stretches_on(book: EffectivePolicy, zone: ZoneInfo, day: date) -> list[Interval]:
    """Return the stretches of a local date in which the room is open, in order."""
    stretches = (stretch_on(day, period, zone) for period in periods_on(book, day))
    return [stretch for stretch in stretches if stretch is not None]


@lru_cache(maxsize=4096)
def stretch_on(day: date, period: Period, zone: ZoneInfo) -> Interval | None:
    """Return a period of a local date as instants; None where the clock jumps over all of it."""
    opens, closes = period
    start = first_instant(datetime.combine(day, opens), zone)
    if closes == MIDNIGHT:
        end = start_of_day(day + ONE_DAY, zone)
    else:
        end = last_instant(datetime.combine(day, closes), zone)
    return Interval(start, end) if start < end else None


def opening_before(book: EffectivePolicy, zone: ZoneInfo, instant: datetime) -> datetime | None:
    """Return when the period that `instant` lies in opened; None outside hours or without any."""
    if not book.hours and not book.exceptions:
        return None
    day = instant.astimezone(zone).date()
    return next((s.start for s in stretches_on(book, zone, day) if instant in s), None)
