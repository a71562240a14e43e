"""Expand a series into its occurrences, and split a series in two. Pure.

A series is stored as the person entered it: first local time, nominal length, RRULE and zone. This
module computes the occurrences. The amount of work is bounded for every rule.
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

MAX_OCCURRENCES = 366  # daily for one year
# Days after the start in which dates are searched. 29 February falls on a given weekday every
# 28 years, or 40 years across 2100.
SEARCH_DAYS = 40 * 366


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One meeting of a series.

    Shapes: `recurrence_id` is the naive local time that the rule gives; this name of the meeting
    never changes (RECURRENCE-ID, EXDATE). `shift` says whether a clock change skips or repeats the
    start or the end.
    """

    recurrence_id: datetime
    interval: Interval
    shift: WallKind


@dataclass(frozen=True, slots=True)
class Expansion:
    """The occurrences of a series in order, and the local times that lie beyond the horizon."""

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
    """Return every occurrence of a series whose first local time is `start`.

    Start and end keep their local time: 10:00 to 11:00 stays 10:00 to 11:00 across clock changes,
    and `length` is nominal. A local time that the clock skips is shifted by the width of the gap
    and flagged, as in RFC 5545, 3.3.5. (3.3.10 would drop the date; but a daily meeting that is
    silently missing once a year surprises people more than one that is an hour later.) A local
    time that the clock repeats means the first of both instants, and is flagged.
    `horizon` is the last local date on which an occurrence may begin; an endless rule ends there.
    Dates are searched for SEARCH_DAYS only; later dates count as beyond the horizon.
    Raises InvalidCommandError `no_occurrence` if the rule has no date (facts: `first`, the first
    date of the rule without its end), `series_too_long` for more than `limit` (facts:
    `occurrences`, `at_most`, `last_fitting`), `beyond_horizon` (facts: `last_day`, `first_beyond`,
    `fitting`), `endless_rule` for an endless rule without horizon, `end_not_after_start`, and the
    errors of `check_start` and `resolve`.
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
    is_complete = _is_complete(rule, days, start)
    if kept > limit:
        raise _too_long(rule, days, limit, is_complete=is_complete)
    may_cut = beyond is BeyondHorizon.TRUNCATE and horizon is not None and kept > 0
    if not may_cut and (kept < len(days) or not is_complete):
        raise _beyond(last, days, kept)
    times = [datetime.combine(day, start.time()) for day in days]
    return Expansion(
        tuple(_occurrence(at, at + length, zone) for at in times[:kept]), tuple(times[kept:])
    )


def refuse_self_overlap(expansion: Expansion) -> None:
    """Raise InvalidCommandError `overlaps_itself` if two meetings of the series overlap.

    Meetings that touch do not overlap. The facts are the first two overlapping `occurrences` and
    `at_most_minutes`, the greatest length at which these two do not overlap.
    """
    for one, other in pairwise(expansion.occurrences):
        if one.interval.end > other.interval.start:
            longest = other.interval.start - one.interval.start
            raise InvalidCommandError(
                f"The meeting of {one.recurrence_id:%Y-%m-%d %H:%M} still runs when the meeting of "
                f"{other.recurrence_id:%Y-%m-%d %H:%M} begins. Make the meetings shorter or less "
                "frequent.",
                code=BookingErrorCode.OVERLAPS_ITSELF,
                facts={
                    "occurrences": [at.recurrence_id.isoformat() for at in (one, other)],
                    "at_most_minutes": int(longest.total_seconds() // 60),
                },
            )


@dataclass(frozen=True, slots=True)
class Split:
    """The rules of a series that was split: `before` keeps the start, `after` has `after_start`."""

    before: Rule
    after: Rule
    after_start: datetime


def split_at(rule: Rule, *, start: datetime, cut: datetime, zone: ZoneInfo) -> Split:
    """Split a series for "this and following": `after` has the dates from `cut` (local time) on.

    A COUNT is divided between both parts. Without COUNT, the first part ends one second before the
    second part begins.
    Guarantees: each occurrence of the series is in exactly one part.
    Raises InvalidCommandError `nothing_before` or `nothing_after` if that part would be empty, and
    the errors of `check_start`.
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
            f"The series has no meeting {side} {cut:%Y-%m-%d %H:%M}. Change all of its meetings.",
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
    """Yield the dates of the rule within SEARCH_DAYS; those of an endless rule up to `horizon`."""
    last = _searched_to(start)
    if rule.is_endless and horizon is not None:
        last = min(last, horizon)
    if rule.until is not None:
        last = min(last, _last_date(rule.until, start, zone))
    return matching_dates(rule, start.date(), last=last)


def _last_date(until: datetime, start: datetime, zone: ZoneInfo) -> date:
    """Return the last local date on which the start of a meeting is not after UNTIL."""
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
    # Search without the end, to name the first date in the error. A rule with COUNT has no end
    # date: its dates were already searched.
    unended = replace(rule, count=1, until=None)
    first = None if rule.count else next(_dates(unended, start, zone), None)
    reason = (
        f"has its first date on {first:%Y-%m-%d}, after its end. Choose a later end."
        if first
        else f"has no date in the 40 years from {start:%Y-%m-%d}. Choose days that exist."
    )
    return InvalidCommandError(
        f"{rule.as_text()} {reason}",
        code=BookingErrorCode.NO_OCCURRENCE,
        facts={"rule": rule.as_text(), "first": first and first.isoformat()},
    )


def _too_long(
    rule: Rule, days: Sequence[date], limit: int, *, is_complete: bool
) -> InvalidCommandError:
    wanted, last_fitting = rule.count or len(days), days[limit - 1].isoformat()
    more = "" if rule.count or is_complete else " or more"
    return InvalidCommandError(
        f"The series has {wanted}{more} meetings; the maximum is {limit}. "
        f"End the series by {last_fitting}.",
        code=BookingErrorCode.SERIES_TOO_LONG,
        facts={"occurrences": wanted, "at_most": limit, "last_fitting": last_fitting},
    )


def _is_complete(rule: Rule, days: Sequence[date], start: datetime) -> bool:
    """Return whether `days` has all dates of the rule; an endless rule counts as complete."""
    if rule.until is not None:
        return rule.until.date() <= _searched_to(start)
    return rule.count in (None, len(days))


def _beyond(last: date, days: Sequence[date], fitting: int) -> InvalidCommandError:
    first_beyond = days[fitting].isoformat() if fitting < len(days) else None
    following = f" (the next is on {first_beyond})" if first_beyond else ""
    remedy = (
        f"End the series there: {fitting} dates fit." if fitting else "Choose an earlier start."
    )
    return InvalidCommandError(
        f"The series goes beyond {last.isoformat()}, the last possible day{following}. {remedy}",
        code=BookingErrorCode.BEYOND_HORIZON,
        facts={
            "last_day": last.isoformat(),
            "first_beyond": first_beyond,
            "fitting": fitting,
        },
    )
