"""A recurring event: its rule and its extra and missing dates; and the dates that come of it. Pure.

The first event counts even where the rule does not say so (RFC 5545 3.8.5.3: DTSTART is the first
instance; the standard's own example takes it out with an EXDATE), as other programs have it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Event

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.ical.events import (
    Length,
    Override,
    ParsedCalendar,
    ParsedEvent,
    ParsedSeries,
    RefusedEvent,
    occurrence_uid,
)
from booking.exchange.ical.moments import (
    BadTimeError,
    Moment,
    Moments,
    length_of,
    nominal,
)
from booking.exchange.ical.rrule import MAX_DATES, read_rule, rule_dates
from meeting_rooms.kernel.errors import LimitExceededError, MeetingRoomsError
from meeting_rooms.kernel.interval import Interval

MAX_SINGLE_EVENTS = 100_000


@dataclass(frozen=True, slots=True)
class CalendarOccurrence:
    """One date of an event or a series.

    `recurrence_id` is the naive local time of the series at which it stood at first; None for an
    event that does not recur. `event` has the times and words that hold for this date.
    """

    recurrence_id: datetime | None
    interval: Interval
    is_cancelled: bool
    event: ParsedEvent


def read_series(
    master: Event, first: ParsedEvent, moments: Moments, floating: ZoneInfo | None
) -> tuple[ParsedSeries, Moment]:
    """Return the series without the events that were changed, and its first time.

    A date with a length of its own (RDATE as a period) is an override from the beginning.
    Raises InvalidCommandError for a rule or a date that cannot be used.
    """
    start = moments.one(master, "DTSTART", floating)
    if start is None:
        raise BadTimeError("It has no DTSTART, so no time is named.")
    length = length_of(master, start, moments.one(master, "DTEND", start.zone))
    rule = _rule(master, start)
    rdates: list[datetime] = []
    overrides: list[Override] = []
    for extra, end in moments.periods(master, "RDATE", start.zone):
        at = extra.seen_from(start)
        rdates.append(at)
        if end is not None:
            overrides.append(Override(at, _period(first, extra, end)))
    exdates = [m.seen_from(start) for m in moments.several(master, "EXDATE", start.zone)]
    if len(exdates) + len(rdates) > MAX_DATES:
        raise LimitExceededError(
            f"It lists more than {MAX_DATES:,} dates.", code=BookingErrorCode.SERIES_TOO_LONG
        )
    series = ParsedSeries(first, length, rule, tuple(exdates), tuple(rdates), tuple(overrides))
    return series, start


def occurrences(
    parsed: ParsedEvent | ParsedSeries, until: datetime, *, since: datetime | None = None
) -> list[CalendarOccurrence]:
    """Return the dates that start before `until` and end after `since` (aware), earliest first.

    Excluded ones are left out, even if they were changed; cancelled ones are in.
    Raises LimitExceededError `series_too_long` for more than MAX_DATES.
    """
    if isinstance(parsed, ParsedEvent):
        found = [CalendarOccurrence(None, parsed.interval, parsed.is_cancelled, parsed)]
    else:
        changed = {override.recurrence_id: override.event for override in parsed.overrides}
        ids = {*recurrence_ids(parsed, until), *changed} - set(parsed.exdates)
        found = [_occurrence(parsed, at, changed.get(at)) for at in ids]
    first = since or datetime.min.replace(tzinfo=UTC)
    kept = (o for o in found if o.interval.start < until and o.interval.end > first)
    return sorted(kept, key=lambda o: o.interval)


def recurrence_ids(series: ParsedSeries, horizon: datetime) -> set[datetime]:
    """Return the naive local times of the series up to `horizon`, excluded ones too."""
    zone = _zone(series)
    first = series.start.replace(tzinfo=None)
    last = horizon.astimezone(zone).replace(tzinfo=None)
    found = {at for at in (first, *series.rdates) if at <= last}
    if series.rule is not None:
        found.update(rule_dates(series.rule, first, zone, last))
    return found


def _occurrence(
    series: ParsedSeries, at: datetime, change: ParsedEvent | None
) -> CalendarOccurrence:
    event = change or event_at(series, at)
    is_cancelled = event.is_cancelled or series.first.is_cancelled
    return CalendarOccurrence(at, event.interval, is_cancelled, event)


def event_at(series: ParsedSeries, at: datetime) -> ParsedEvent:
    """Return the event of the series at a naive local time, as nobody has changed it."""
    start = at.replace(tzinfo=_zone(series))
    return replace(series.first, start=start, end=series.length.after(start))


def _zone(series: ParsedSeries) -> ZoneInfo:
    zone = series.start.tzinfo
    if not isinstance(zone, ZoneInfo):
        raise BadTimeError("The start of a series needs a named time zone.")
    return zone


def _rule(master: Event, start: Moment) -> str | None:
    rule = master.get("RRULE")
    if rule is None:
        return None
    if isinstance(rule, list):
        raise BadTimeError("It has several rules. Make it one event for each.")
    return read_rule(str(rule.to_ical().decode()), start.local, start.zone)


def _period(first: ParsedEvent, start: Moment, end: Moment | timedelta) -> ParsedEvent:
    length: Length
    if isinstance(end, timedelta):
        length = nominal(end)
    else:
        length = Length(0, end.aware.astimezone(UTC) - start.aware.astimezone(UTC))
    return replace(first, start=start.aware, end=length.after(start.aware))


def single_events(
    series: ParsedSeries, until: datetime, *, since: datetime | None = None
) -> Iterator[ParsedEvent]:
    """Yield the dates of a series as events with UIDs of their own, excluded ones as cancelled.

    So a date that was taken in by an earlier import, and is excluded by now, is cancelled.
    """
    for found in occurrences(series, until, since=since):
        at = found.recurrence_id or found.event.start.replace(tzinfo=None)
        uid = occurrence_uid(series.uid, at)
        yield replace(found.event, uid=uid, is_cancelled=found.is_cancelled)
    first = series.start.replace(tzinfo=None)
    for at in sorted(at for at in set(series.exdates) if at >= first):
        event = event_at(series, at)
        if event.interval.start < until and (since is None or event.interval.end > since):
            yield replace(event, uid=occurrence_uid(series.uid, at), is_cancelled=True)


def with_single_events(
    calendar: ParsedCalendar,
    until: datetime,
    *,
    since: datetime | None = None,
    at_most: int = MAX_SINGLE_EVENTS,
) -> ParsedCalendar:
    """Return the calendar with each series as its single events; see `occurrences`.

    A series that cannot be counted is refused. Raises LimitExceededError `too_many_dates` where all
    events together, those of series included, are more than `at_most`.
    """
    events, refused = list(calendar.events), list(calendar.refused)
    for series in calendar.series:
        try:
            events.extend(single_events(series, until, since=since))
        except MeetingRoomsError as exc:
            refused.append(RefusedEvent(series.uid, series.title, exc.code, exc.detail))
        if len(events) > at_most:
            raise LimitExceededError(
                f"The file has more than {at_most:,} dates. Export a shorter stretch.",
                code=BookingErrorCode.TOO_MANY_DATES,
            )
    return replace(calendar, events=tuple(events), series=(), refused=tuple(refused))
