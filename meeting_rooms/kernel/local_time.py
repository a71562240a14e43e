"""Conversion between local time (what the clock on the room's wall shows) and instants. Pure.

A local time is a naive `datetime` read in a zone. At a clock change, a local time may not exist (a
gap, when clocks go forward) or exist twice (a fold, when clocks go back). No function here assumes
that a clock change is an hour, that it happens at a full hour or that a day begins at midnight.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval

MIDNIGHT = time(0)
ONE_DAY = timedelta(days=1)
ONE_HOUR = timedelta(hours=1)
ONE_SECOND = timedelta(seconds=1)


class WallKind(StrEnum):
    """How often the clock of a zone shows a local time: once, never (gap) or twice (fold)."""

    PLAIN = "plain"
    GAP = "gap"
    FOLD = "fold"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A local time with its instant.

    Shapes: `asked` is the local time that was asked for, `local` is the local time that the clock
    shows at `instant`; both are naive and differ in a gap only. `instant` is UTC. `choices` holds
    every instant at which the clock shows `local`, in order: two in a fold, else one.
    """

    asked: datetime
    local: datetime
    instant: datetime
    kind: WallKind
    choices: tuple[datetime, ...]


def resolve(local: datetime, zone: ZoneInfo, *, fold: int = 0) -> Resolved:
    """Return the instant of a local time; there is always exactly one.

    In a gap, the time is read as if the clock had not changed: 02:30 in Berlin on 2026-03-29 is
    01:30Z, shown as 03:30, and `fold` has no effect. In a fold, the result is the first of both
    instants, or the second with `fold=1`.
    Raises InvalidCommandError for a time that has a zone already (`time_with_zone`) or that is
    outside the calendar (`invalid_time`). Source: RFC 5545 section 3.3.5; PEP 495.
    """
    if local.tzinfo is not None:
        raise InvalidCommandError(
            f"The local time {local.isoformat()} has an offset. Leave the offset out: the room's "
            f"zone is {zone.key}.",
            code=KernelErrorCode.TIME_WITH_ZONE,
        )
    asked = local.replace(fold=0)
    early, late = asked.replace(tzinfo=zone), asked.replace(tzinfo=zone, fold=1)
    before, after = early.utcoffset() or timedelta(), late.utcoffset() or timedelta()
    try:
        first, second = early.astimezone(UTC), late.astimezone(UTC)
        if before < after:
            shown = first.astimezone(zone).replace(tzinfo=None, fold=0)
            return Resolved(asked, shown, first, WallKind.GAP, (first,))
    except OverflowError as exc:
        raise InvalidCommandError(
            "The time is outside the years 1 to 9999.", code=KernelErrorCode.INVALID_TIME
        ) from exc
    if before > after:
        chosen = second if fold else first
        return Resolved(asked, asked, chosen, WallKind.FOLD, (first, second))
    return Resolved(asked, asked, first, WallKind.PLAIN, (first,))


def resolve_strict(local: datetime, zone: ZoneInfo, *, fold: int | None = None) -> Resolved:
    """Return the instant of a local time; refuse a local time without exactly one instant.

    For forms and clients that let the person choose.
    Raises InvalidCommandError `time_does_not_exist` in a gap (facts: `asked`, `offered`), and
    `time_is_ambiguous` in a fold if `fold` is None (facts: `asked`, `choices`), and the errors of
    `resolve`. `offered` and each choice are {local, instant, abbreviation, fold}.
    """
    found = resolve(local, zone, fold=fold or 0)
    if found.kind is WallKind.GAP:
        offered = _offer(found.instant, zone)
        raise InvalidCommandError(
            f"The clock in {zone.key} jumps over {local:%H:%M} on {local:%Y-%m-%d}. "
            f"Choose {found.local:%H:%M}, or another time.",
            code=KernelErrorCode.TIME_DOES_NOT_EXIST,
            facts={"asked": local.isoformat(), "zone": zone.key, "offered": offered},
        )
    if found.kind is WallKind.FOLD and fold is None:
        first, second = (_offer(instant, zone) for instant in found.choices)
        raise InvalidCommandError(
            f"The clock in {zone.key} shows {local:%H:%M} twice on {local:%Y-%m-%d}. "
            f"Choose {local:%H:%M} {first['abbreviation']} or "
            f"{local:%H:%M} {second['abbreviation']}.",
            code=KernelErrorCode.TIME_IS_AMBIGUOUS,
            facts={"asked": local.isoformat(), "zone": zone.key, "choices": [first, second]},
        )
    return found


def resolve_pair(
    start: datetime, end: datetime, zone: ZoneInfo, *, fold: int = 0, end_fold: int | None = None
) -> tuple[Resolved, Resolved]:
    """Return both ends of an interval that is given in local time.

    Each end keeps its own local time, so the real duration differs if the clock changes between
    them. A start in a gap moves both ends: 02:30 to 03:15 becomes 03:30 to 04:15, because otherwise
    the end would be before the start. An interval so long that its moved end would be later than
    the same local time on the next day keeps its end: a day whose midnight is skipped still ends at
    midnight. For an end in a fold, the first of both instants that is after the start is taken.
    Raises the errors of `resolve`.
    """
    begin = resolve(start, zone, fold=fold)
    moved_end = begin.local + (end - start)
    if begin.kind is WallKind.GAP and moved_end <= start + ONE_DAY:
        end = moved_end
    finish = resolve(end, zone, fold=end_fold or 0)
    if end_fold is None and finish.instant <= begin.instant:
        finish = resolve(end, zone, fold=1)
    return begin, finish


def interval_of(
    start: datetime, end: datetime, zone: ZoneInfo, *, fold: int = 0, end_fold: int | None = None
) -> Interval:
    """Return the interval between two local times, as `resolve_pair` reads them.

    01:00 to 04:00 in Berlin lasts 2 h on 2026-03-29 and 4 h on 2026-10-25.
    Raises InvalidCommandError `end_not_after_start`, and the errors of `resolve`.
    """
    begin, finish = resolve_pair(start, end, zone, fold=fold, end_fold=end_fold)
    return Interval.of(begin.instant, finish.instant)


@lru_cache(maxsize=4096)
def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the clock shows `local`; in a gap, the clock change."""
    found = resolve(local, zone)
    return _jump_over(found, zone) if found.kind is WallKind.GAP else found.choices[0]


@lru_cache(maxsize=4096)
def last_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the last instant at which the clock shows `local`; in a gap, the clock change."""
    found = resolve(local, zone)
    return _jump_over(found, zone) if found.kind is WallKind.GAP else found.choices[-1]


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local date, which is not always 00:00."""
    return first_instant(datetime.combine(day, MIDNIGHT), zone)


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """Return the zone's date at an instant."""
    return instant.astimezone(zone).date()


def day_bounds(day: date, zone: ZoneInfo) -> Interval:
    """Return the interval of a local day, from its first instant to the first of the next day.

    A day mostly has 23, 24 or 25 hours, and days follow each other without a hole. A day whose
    midnight is skipped begins at the clock change; a day whose midnight is repeated begins at the
    first of both.
    Raises InvalidCommandError `day_does_not_exist` for a date that the zone has left out (Apia,
    2011-12-30), `invalid_time` at the ends of the calendar.
    """
    try:
        following = day + ONE_DAY
    except OverflowError as exc:
        raise InvalidCommandError(
            "The day is outside the years 1 to 9999.", code=KernelErrorCode.INVALID_TIME
        ) from exc
    start, end = start_of_day(day, zone), start_of_day(following, zone)
    if end <= start:
        raise InvalidCommandError(
            f"The calendar of {zone.key} has no {day.isoformat()}. Choose {following.isoformat()}.",
            code=KernelErrorCode.DAY_DOES_NOT_EXIST,
            facts={"asked": day.isoformat(), "offered": following.isoformat()},
        )
    return Interval(start, end)


@dataclass(frozen=True, slots=True)
class HourRow:
    """One row of a day view: an interval of up to an hour, and the local time at its start."""

    interval: Interval
    label: str


def hour_rows(day: date, zone: ZoneInfo) -> tuple[HourRow, ...]:
    """Return the rows of a day view: 23, 24 or 25 rows if the clock changes by full hours.

    Guarantees: the rows cover the day without a hole and no row contains a clock change, so a clock
    change of half an hour gives a row of half an hour. Labels are unique: "01:00 EDT" and
    "01:00 EST" if the clock shows an hour twice. Raises the errors of `day_bounds`.
    """
    bounds = day_bounds(day, zone)
    edges = [*_row_starts(bounds, zone), bounds.end]
    return tuple(HourRow(Interval(a, b), label(a, zone)) for a, b in pairwise(edges))


def label(instant: datetime, zone: ZoneInfo, *, always_abbreviation: bool = False) -> str:
    """Return the local time: "01:30", or "01:30 EDT" if the clock shows this time twice."""
    there = instant.astimezone(zone)
    kind = resolve(there.replace(tzinfo=None, fold=0), zone).kind
    if always_abbreviation or kind is WallKind.FOLD:
        return f"{there:%H:%M} {there.tzname()}"
    return f"{there:%H:%M}"


def in_words(instant: datetime, zone: ZoneInfo) -> str:
    """Return a date and time with its zone's name: "12 Mar 2026, 10:00 Europe/Helsinki"."""
    there = instant.astimezone(zone)
    return f"{there.day} {there:%b %Y}, {label(instant, zone)} {zone.key}"


def _offer(instant: datetime, zone: ZoneInfo) -> dict[str, Any]:
    there = instant.astimezone(zone)
    return {
        "local": there.replace(tzinfo=None, fold=0).isoformat(),
        "instant": instant.isoformat(),
        "abbreviation": there.tzname(),
        "fold": there.fold,
    }


def _jump_over(skipped: Resolved, zone: ZoneInfo) -> datetime:
    # The clock change lies between the two instants that the skipped time could mean.
    width = skipped.local - skipped.asked
    return _clock_change(skipped.instant - width - ONE_SECOND, skipped.instant, zone)


def _row_starts(bounds: Interval, zone: ZoneInfo) -> Iterator[datetime]:
    at = bounds.start
    while at < bounds.end:
        yield at
        there = at.astimezone(zone)
        past_the_hour = timedelta(minutes=there.minute, seconds=there.second)
        full_hour = min(at + ONE_HOUR - past_the_hour, bounds.end)
        at = _clock_change(at, full_hour, zone)


def _clock_change(after: datetime, until: datetime, zone: ZoneInfo) -> datetime:
    """Return the first second in (after, until] with another offset than `after`, else `until`."""
    offset = after.astimezone(zone).utcoffset()
    if until.astimezone(zone).utcoffset() == offset:
        return until
    while until - after > ONE_SECOND:
        middle = after + timedelta(seconds=(until - after) // ONE_SECOND // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            until = middle
    return until
