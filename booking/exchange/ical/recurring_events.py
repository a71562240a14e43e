"""Read a recurring event (RRULE, RDATE, EXDATE) and compute its dates. Pure.

DTSTART is the first date even if it does not match the rule (RFC 5545 3.8.5.3; the example of the
standard removes it with an EXDATE). Other programs do the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Event

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.ical.events import (
    CalendarEvent,
    Length,
    Override,
    ParsedCalendar,
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

MAX_SINGLE_EVENTS = 100_000  # of one file, with the dates of its series


@dataclass(frozen=True, slots=True)
class CalendarOccurrence:
    """One date of an event or a series.

    `recurrence_id` is the original naive local time in the zone of the series; None for an event
    that does not recur. `event` has times and texts of this date.
    """

    recurrence_id: datetime | None
    interval: Interval
    is_cancelled: bool
    event: CalendarEvent


def read_series(
    master: Event, first: CalendarEvent, moments: Moments, floating: ZoneInfo | None
) -> tuple[ParsedSeries, Moment]:
    """Return the series without its changed events, and its first time.

    A date with its own length (RDATE as a period) becomes an override.
    Raises InvalidCommandError if a rule or a time cannot be used; LimitExceededError
    `series_too_long` if the series lists more than MAX_DATES.
    """
    start = moments.one(master, "DTSTART", floating)
    if start is None:
        raise BadTimeError("The event has no DTSTART. Add a start.")
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
            f"The event lists more than {MAX_DATES:,} dates. Split it.",
            code=BookingErrorCode.SERIES_TOO_LONG,
        )
    series = ParsedSeries(first, length, rule, tuple(exdates), tuple(rdates), tuple(overrides))
    return series, start


def occurrences(
    parsed: CalendarEvent | ParsedSeries, until: datetime, *, since: datetime | None = None
) -> list[CalendarOccurrence]:
    """Return the dates that start before `until` and end after `since` (aware), earliest first.

    Dates excluded by EXDATE are left out, even changed ones; cancelled dates are included.
    Raises LimitExceededError `series_too_long` if the rule has more than MAX_DATES dates.
    """
    if isinstance(parsed, CalendarEvent):
        found = [CalendarOccurrence(None, parsed.interval, parsed.is_cancelled, parsed)]
    else:
        changed = {override.recurrence_id: override.event for override in parsed.overrides}
        ids = {*recurrence_ids(parsed, until), *changed} - set(parsed.exdates)
        found = [_occurrence(parsed, at, changed.get(at)) for at in ids]
    first = since or datetime.min.replace(tzinfo=UTC)
    kept = (o for o in found if o.interval.start < until and o.interval.end > first)
    return sorted(kept, key=lambda o: o.interval)


def recurrence_ids(series: ParsedSeries, horizon: datetime) -> set[datetime]:
    """Return the naive local times of the series up to `horizon`, with those that EXDATE excludes.

    Raises LimitExceededError `series_too_long` if the rule has more than MAX_DATES dates.
    """
    zone = _zone(series)
    first = series.start.replace(tzinfo=None)
    last = horizon.astimezone(zone).replace(tzinfo=None)
    found = {at for at in (first, *series.rdates) if at <= last}
    if series.rule is not None:
        found.update(rule_dates(series.rule, first, zone, last))
    return found


def _occurrence(
    series: ParsedSeries, at: datetime, change: CalendarEvent | None
) -> CalendarOccurrence:
    event = change or event_at(series, at)
    is_cancelled = event.is_cancelled or series.first.is_cancelled
    return CalendarOccurrence(at, event.interval, is_cancelled, event)


def event_at(series: ParsedSeries, at: datetime) -> CalendarEvent:
    """Return the event of the series at a naive local time, without changes of that date."""
    start = at.replace(tzinfo=_zone(series))
    return replace(series.first, start=start, end=series.length.after(start))


def _zone(series: ParsedSeries) -> ZoneInfo:
    zone = series.start.tzinfo
    if not isinstance(zone, ZoneInfo):
        raise BadTimeError(
            "The start of a series needs a named time zone, such as Europe/Helsinki."
        )
    return zone


def _rule(master: Event, start: Moment) -> str | None:
    rule = master.get("RRULE")
    if rule is None:
        return None
    if isinstance(rule, list):
        raise BadTimeError("The event has several RRULEs. Make one event for each.")
    return read_rule(str(rule.to_ical().decode()), start.local, start.zone)


def _period(first: CalendarEvent, start: Moment, end: Moment | timedelta) -> CalendarEvent:
    length: Length
    if isinstance(end, timedelta):
        length = nominal(end)
    else:
        length = Length(0, end.aware.astimezone(UTC) - start.aware.astimezone(UTC))
    return replace(first, start=start.aware, end=length.after(start.aware))


def single_events(
    series: ParsedSeries, until: datetime, *, since: datetime | None = None
) -> Iterator[CalendarEvent]:
    """Yield each date of a series as an event with its own UID; excluded dates are cancelled.

    So a date that was imported earlier and is excluded now gets cancelled.
    Raises the errors of `occurrences`.
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
    """Return the calendar with each series replaced by its single events; see `occurrences`.

    A series that cannot be expanded is refused. Raises LimitExceededError `too_many_dates` if the
    calendar then has more than `at_most` events.
    """
    events, refused = list(calendar.events), list(calendar.refused)
    for series in calendar.series:
        try:
            events.extend(single_events(series, until, since=since))
        except MeetingRoomsError as exc:
            refused.append(RefusedEvent(series.uid, series.title, exc.code, exc.detail))
        if len(events) > at_most:
            raise LimitExceededError(
                f"The file has more than {at_most:,} dates. Export a shorter period.",
                code=BookingErrorCode.TOO_MANY_DATES,
            )
    return replace(calendar, events=tuple(events), series=(), refused=tuple(refused))
