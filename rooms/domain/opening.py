"""Opening hours as instants. Pure.

Hours are wall times of the room's zone. An opening or closing time that the clock jumps over takes
effect when it jumps; of one that comes twice, the first opens and the last closes.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from meeting_rooms.kernel.interval import Interval
from rooms.domain.rulebook import Period, Rulebook

ONE_DAY = timedelta(days=1)
ONE_SECOND = timedelta(seconds=1)
MIDNIGHT = time(0)
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


def periods_on(book: Rulebook, day: date) -> tuple[Period, ...]:
    """Return when the room is open on a local date: an exception's periods, or the weekday's."""
    if (exception := book.exceptions.get(day)) is not None:
        return exception.periods
    return book.hours.get(day.weekday(), ()) if book.hours else ALL_DAY


def is_open_throughout(book: Rulebook, zone: ZoneInfo, wanted: Interval) -> bool:
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
    return _is_covered(book, zone, wanted, start.date(), end.date())


def _is_covered(book: Rulebook, zone: ZoneInfo, wanted: Interval, first: date, last: date) -> bool:
    covered_to, day = wanted.start, first
    while day <= last:
        for stretch in stretches_on(book, zone, day):
            if covered_to in stretch:
                covered_to = stretch.end
        if covered_to >= wanted.end:
            return True
        day += ONE_DAY
        if covered_to < start_of_day(day, zone):
            return False
    return False


def stretches_on(book: Rulebook, zone: ZoneInfo, day: date) -> list[Interval]:
    """Return the stretches of a local date in which the room is open, in order."""
    found = []
    for opens, closes in periods_on(book, day):
        start = instant_of(day, opens, zone)
        end = (
            start_of_day(day + ONE_DAY, zone)
            if closes == MIDNIGHT
            else instant_of(day, closes, zone, is_last=True)
        )
        if start < end:  # not where the clock jumps over the whole period
            found.append(Interval(start, end))
    return found


def opening_before(book: Rulebook, zone: ZoneInfo, instant: datetime) -> datetime | None:
    """Return when the period that `instant` lies in opened; None outside hours or without any."""
    if not book.hours and not book.exceptions:
        return None
    day = instant.astimezone(zone).date()
    return next((s.start for s in stretches_on(book, zone, day) if instant in s), None)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local date, which is not always 00:00."""
    return instant_of(day, MIDNIGHT, zone)


def local_day(day: date, zone: ZoneInfo) -> Interval:
    """Return a local date as a stretch of 23, 24 or 25 hours, or what its zone makes of it."""
    return Interval(start_of_day(day, zone), start_of_day(day + ONE_DAY, zone))


def instant_of(day: date, at: time, zone: ZoneInfo, *, is_last: bool = False) -> datetime:
    """Return the instant of a wall time: the first of two, or the last; the jump for none."""
    first = datetime.combine(day, at, zone).astimezone(UTC)
    last = datetime.combine(day, at.replace(fold=1), zone).astimezone(UTC)
    if first > last:
        return _jump_between(last, first, zone)
    return last if is_last else first


def _jump_between(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant in `(early, late]` from which the zone's later offset holds."""
    offset = late.astimezone(zone).utcoffset()
    while late - early > ONE_SECOND:
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0)
