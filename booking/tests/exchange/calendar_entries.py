"""Convert parsed calendars to calendar entries, for round trips."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from booking.exchange.ical.events import CalendarEvent, ParsedCalendar, ParsedSeries
from booking.exchange.ical.write_calendar import CalendarEntry, EntryStatus

STAMP = datetime(2026, 1, 1, tzinfo=UTC)


def entries_of(calendar: ParsedCalendar) -> Iterator[CalendarEntry]:
    for event in calendar.events:
        yield entry_of(event)
    for series in calendar.series:
        yield from _series(series)


def entry_of(event: CalendarEvent, **more) -> CalendarEntry:
    return CalendarEntry(
        uid=event.uid,
        start=event.start,
        end=event.end,
        title=event.title,
        stamp=STAMP,
        organizer=event.organizer,
        status=EntryStatus.CANCELLED if event.is_cancelled else EntryStatus.CONFIRMED,
        location=event.location,
        is_private=event.is_private,
        **more,
    )


def _series(series: ParsedSeries) -> Iterator[CalendarEntry]:
    yield entry_of(series.first, rule=series.rule, exdates=series.exdates, rdates=series.rdates)
    for change in series.overrides:
        zone = series.start.tzinfo
        assert isinstance(zone, ZoneInfo)
        yield entry_of(change.event, recurrence_id=change.recurrence_id, recurrence_zone=zone)
