"""Opening hours as instants. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from meeting_rooms.kernel.interval import Interval

Hours = Mapping[int, tuple[time, time]]  # weekday (Monday 0) -> opens, closes; closes 00:00 = 24:00

ONE_DAY = timedelta(days=1)
MIDNIGHT = time(0)


def _open_stretches(hours: Hours, zone: ZoneInfo, days: Iterator[date]) -> Iterator[Interval]:
    for day in days:
        if (entry := hours.get(day.weekday())) is None:
            continue
        opens, closes = entry
        last_day = day + ONE_DAY if closes == MIDNIGHT else day
        yield Interval.of(
            datetime.combine(day, opens, zone), datetime.combine(last_day, closes, zone)
        )


def is_open_throughout(hours: Hours, zone: ZoneInfo, wanted: Interval) -> bool:
    """Say whether every instant of `wanted` lies in opening hours. No hours at all: always open.

    Days that touch at midnight count as one stretch, so a booking may run over it.
    """
    if not hours:
        return True
    first = wanted.start.astimezone(zone).date()
    last = wanted.end.astimezone(zone).date()
    days = (first + ONE_DAY * n for n in range((last - first).days + 1))
    covered_to = wanted.start
    for stretch in _open_stretches(hours, zone, days):
        if covered_to in stretch:
            covered_to = stretch.end
    return covered_to >= wanted.end
