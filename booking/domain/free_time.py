"""Free time between bookings. Pure."""

from collections.abc import Iterable
from datetime import timedelta

from meeting_rooms.kernel.interval import Interval


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the stretches covered by any of `intervals`, sorted; those that touch become one."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and interval.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, interval.end))
        else:
            merged.append(interval)
    return merged


def gaps(busy: Iterable[Interval], within: Interval) -> list[Interval]:
    """Return the stretches of `within` that no busy interval covers, in order."""
    free: list[Interval] = []
    cursor = within.start
    for taken in merge(busy):
        if taken.start > cursor:
            free.append(Interval(cursor, min(taken.start, within.end)))
        cursor = max(cursor, taken.end)
        if cursor >= within.end:
            return free
    free.append(Interval(cursor, within.end))
    return free


def nearest_fits(wanted: Interval, free: Iterable[Interval]) -> list[Interval]:
    """Return the fit nearest to `wanted` in each free stretch long enough, nearest first."""
    length = wanted.duration

    def distance(fit: Interval) -> timedelta:
        return abs(fit.start - wanted.start)

    fits = [
        Interval(start, start + length)
        for stretch in free
        if stretch.duration >= length
        for start in [min(max(wanted.start, stretch.start), stretch.end - length)]
    ]
    return sorted(fits, key=distance)
