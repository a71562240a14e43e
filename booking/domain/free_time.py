"""Free time between bookings. Pure."""

from collections.abc import Iterable
from datetime import timedelta

from meeting_rooms.kernel.interval import Interval


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the union of `intervals`, sorted. Intervals that touch become one."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and interval.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, interval.end))
        else:
            merged.append(interval)
    return merged


def gaps(busy: Iterable[Interval], within: Interval) -> list[Interval]:
    """Return the parts of `within` that no busy interval covers, in order."""
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
    """Return intervals as long as `wanted`: one in each free interval, nearest first.

    Free intervals shorter than `wanted` are left out.
    """
    length = wanted.duration

    def distance(fit: Interval) -> timedelta:
        return abs(fit.start - wanted.start)

    fits = [
        Interval(start, start + length)
        for each in free
        if each.duration >= length
        for start in [min(max(wanted.start, each.start), each.end - length)]
    ]
    return sorted(fits, key=distance)
