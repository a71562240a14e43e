"""A booking series: the occurrences of a rule, and the rule cut in two. Pure.

A series is kept as the person meant it: first wall time, nominal length, rule, zone. What follows
from that is computed here, and bounded whatever the rule says.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from booking.domain.error_codes import BookingErrorCode
from booking.series.domain.rule import Rule, check_start
from booking.series.domain.rule_dates import matching_dates
from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import ONE_DAY, ONE_SECOND, WallKind, resolve, resolve_pair
from rooms.domain.effective_policy import BeyondHorizon

MAX_OCCURRENCES = 366
# How far a rule is followed: 29 February falls on one weekday every 28 years, or 40 over 2100.
SEARCH_DAYS = 40 * 366


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One meeting of a series.

    Shapes: `recurrence_id` is the naive wall time that the rule gives, the meeting's name for good
    (RECURRENCE-ID, EXDATE). `shift` says whether the clock skips or repeats one of its ends.
    """

    recurrence_id: datetime
    interval: Interval
    shift: WallKind


@dataclass(frozen=True, slots=True)
class Expansion:
    """A series' occurrences in order, and the wall times that were cut off at the horizon."""

    occurrences: tuple[Occurrence, ...]
    truncated: tuple[datetime, ...] = ()


def expand(
    rule: Rule,
    *,
    start: datetime,
    length: timedelta,
    zone: ZoneInfo,
    horizon: date | None = None,
    beyond: BeyondHorizon = BeyondHorizon.REFUSE,
    limit: int = MAX_OCCURRENCES,
) -> Expansion:
    """Return every occurrence of a series whose first wall time is `start`.

    Both ends keep their wall time: 10:00 to 11:00 stays so over clock changes, and `length` is
    nominal. A wall time that the clock skips is kept, shifted by the width of the gap and flagged;
    RFC 5545, 3.3.10, would drop the date, but a daily meeting that is missing once a year without a
    word surprises more than one that is an hour later (3.3.5 reads such a time this very way). One
    that the clock repeats is the first of both, flagged.
    `horizon` is the last local date on which an occurrence may begin; an endless rule ends there.
    No rule is followed further than SEARCH_DAYS; what goes on after that is beyond the horizon.
    Raises: InvalidCommandError `no_occurrence` (facts: `first`, the date it would have without its
    end), `series_too_long` (facts: `occurrences`, `at_most`, `last_fitting`), `beyond_horizon`
    (facts: `last_day`, `first_beyond`, `fitting`), `endless_rule`, `end_not_after_start`, and what
    `check_start` and `resolve` raise.
    Guarantees: sorted, unique, one to `limit` occurrences; under 0.1 s for any rule.
    """
    check_start(start)
    if length <= timedelta(0):
        raise InvalidCommandError(
            "The end must be later than the start.", code=KernelErrorCode.END_NOT_AFTER_START
        )
    if rule.is_endless and horizon is None:
        raise InvalidCommandError(
            "The rule never ends. Add COUNT, for example COUNT=10, or UNTIL.",
            code=BookingErrorCode.ENDLESS_RULE,
        )
    days = list(_dates(rule, start, zone, horizon=horizon))
    if not days:
        raise _no_occurrence(rule, start, zone)
    last = min(horizon or date.max, _searched_to(start))
    kept = bisect_right(days, last)
    is_whole = _is_whole(rule, days, start)
    if kept > limit:
        raise _too_long(rule, days, limit, is_whole=is_whole)
    may_cut = beyond is BeyondHorizon.TRUNCATE and horizon is not None and kept > 0
    if not may_cut and (kept < len(days) or not is_whole):
        raise _beyond(last, days, kept)
    times = [datetime.combine(day, start.time()) for day in days]
    return Expansion(
        tuple(_occurrence(at, at + length, zone) for at in times[:kept]), tuple(times[kept:])
    )


def refuse_self_overlap(expansion: Expansion) -> None:
    """Refuse a series whose meetings overlap each other. Meetings that touch do not.

    Raises: InvalidCommandError `overlaps_itself` (facts: the first two `occurrences`, and
    `at_most_minutes`, the length that these two would leave).
    """
    for one, other in pairwise(expansion.occurrences):
        if one.interval.end > other.interval.start:
            room = other.interval.start - one.interval.start
            raise InvalidCommandError(
                f"The meeting of {one.recurrence_id:%Y-%m-%d %H:%M} still runs when that of "
                f"{other.recurrence_id:%Y-%m-%d %H:%M} begins. Make it shorter or repeat it less "
                "often.",
                code=BookingErrorCode.OVERLAPS_ITSELF,
                facts={
                    "occurrences": [at.recurrence_id.isoformat() for at in (one, other)],
                    "at_most_minutes": int(room.total_seconds() // 60),
                },
            )


@dataclass(frozen=True, slots=True)
class Split:
    """A series cut in two: `before` keeps the old start, `after` begins at `after_start`."""

    before: Rule
    after: Rule
    after_start: datetime


def split_at(rule: Rule, *, start: datetime, cut: datetime, zone: ZoneInfo) -> Split:
    """Cut a series for "this and following": what begins at `cut` (wall time) or later is after.

    COUNT is shared out; without it the first part ends one second before the second begins.
    Guarantees: the occurrences of both parts are those of the whole, each once.
    Raises: InvalidCommandError `nothing_before`, `nothing_after` when one part would be empty.
    """
    check_start(start)
    times = (datetime.combine(day, start.time()) for day in _dates(rule, start, zone))
    earlier = 0
    following = None
    for at in times:
        if at >= cut:
            following = at
            break
        earlier += 1
    if not earlier or following is None:
        side, code = "before", BookingErrorCode.NOTHING_BEFORE
        if earlier:
            side, code = "after", BookingErrorCode.NOTHING_AFTER
        raise InvalidCommandError(
            f"The series has no meeting {side} {cut:%Y-%m-%d %H:%M}. Change the whole series.",
            code=code,
        )
    if rule.count is not None:
        before = replace(rule, count=earlier)
        return Split(before, replace(rule, count=rule.count - earlier), following)
    before = replace(rule, until=resolve(following, zone).instant - ONE_SECOND)
    return Split(before, rule, following)


def _searched_to(start: datetime) -> date:
    return start.date() + timedelta(days=SEARCH_DAYS)


def _dates(
    rule: Rule, start: datetime, zone: ZoneInfo, *, horizon: date | None = None
) -> Iterator[date]:
    """Yield the rule's dates as far as rules are followed, an endless rule's to the horizon."""
    last = _searched_to(start)
    if rule.is_endless and horizon is not None:
        last = min(last, horizon)
    if rule.until is not None:
        last = min(last, _last_date(rule.until, start, zone))
    return matching_dates(rule, start.date(), last=last)


def _last_date(until: datetime, start: datetime, zone: ZoneInfo) -> date:
    """Return the last local date on which the series' time of day comes no later than UNTIL."""
    first = resolve(start, zone).instant
    if until < first:
        return start.date() - ONE_DAY
    day = min(until, first + timedelta(days=SEARCH_DAYS + 2)).astimezone(zone).date()
    is_past = resolve(datetime.combine(day, start.time()), zone).instant > until
    return day - ONE_DAY if is_past else day


def _occurrence(start: datetime, end: datetime, zone: ZoneInfo) -> Occurrence:
    begin, finish = resolve_pair(start, end, zone)
    shift = finish.kind if begin.kind is WallKind.PLAIN else begin.kind
    return Occurrence(start, Interval.of(begin.instant, finish.instant), shift)


def _no_occurrence(rule: Rule, start: datetime, zone: ZoneInfo) -> InvalidCommandError:
    # Without its end, to say when it would first come true; with COUNT that was searched for.
    unended = replace(rule, count=1, until=None)
    first = None if rule.count else next(_dates(unended, start, zone), None)
    told = (
        f"has its first date on {first:%Y-%m-%d}, after its end. Let it end later."
        if first
        else f"has no date in the 40 years from {start:%Y-%m-%d}. Choose days that exist."
    )
    return InvalidCommandError(
        f"{rule.as_text()} {told}",
        code=BookingErrorCode.NO_OCCURRENCE,
        facts={"rule": rule.as_text(), "first": first and first.isoformat()},
    )


def _too_long(
    rule: Rule, days: Sequence[date], limit: int, *, is_whole: bool
) -> InvalidCommandError:
    wanted, last_fitting = rule.count or len(days), days[limit - 1].isoformat()
    more = "" if rule.count or is_whole else " or more"
    return InvalidCommandError(
        f"The series has {wanted}{more} meetings; at most {limit} go. End it by {last_fitting}.",
        code=BookingErrorCode.SERIES_TOO_LONG,
        facts={"occurrences": wanted, "at_most": limit, "last_fitting": last_fitting},
    )


def _is_whole(rule: Rule, days: Sequence[date], start: datetime) -> bool:
    """Say whether `days` are all of the rule's, or all that a rule without an end may have."""
    if rule.until is not None:
        return rule.until.date() <= _searched_to(start)
    return rule.count in (None, len(days))


def _beyond(last: date, days: Sequence[date], fitting: int) -> InvalidCommandError:
    first_beyond = days[fitting].isoformat() if fitting < len(days) else None
    told = f" (next on {first_beyond})" if first_beyond else ""
    remedy = f"End it there; {fitting} of its dates fit." if fitting else "Let it start earlier."
    return InvalidCommandError(
        f"The series goes on after {last.isoformat()}, the last day it may have{told}. {remedy}",
        code=BookingErrorCode.BEYOND_HORIZON,
        facts={
            "last_day": last.isoformat(),
            "first_beyond": first_beyond,
            "fitting": fitting,
        },
    )
