"""Parse an iCalendar file into events, series, and refusals of events that cannot be booked. Pure.

A bad event refuses only itself. A bad change of one date removes that date from its series, so the
import never books a time that the author of the file has changed.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.ical.components import LIBRARY_ERRORS, read_components
from booking.exchange.ical.events import (
    MAX_UID_LENGTH,
    CalendarEvent,
    Override,
    ParsedCalendar,
    ParsedSeries,
    RefusedEvent,
    occurrence_uid,
)
from booking.exchange.ical.moments import Moments, length_of, refuse_unreadable
from booking.exchange.ical.recurring_events import read_series
from booking.exchange.ical.timezones import Zones
from booking.exchange.ical.write_calendar import clean_line
from meeting_rooms.kernel.errors import InvalidCommandError, MeetingRoomsError

ZoneOf = Callable[[str], ZoneInfo | None]
RECURRING = ("RRULE", "RDATE")


def no_zone(_location: str) -> ZoneInfo | None:
    """Return None for every room, so times without a zone are refused."""
    return None


def parse_calendar(
    raw: bytes, *, zone_of: ZoneOf = no_zone, default_location: str = ""
) -> ParsedCalendar:
    """Return the events of a file.

    `zone_of` returns the zone of a room by its name, for times without a zone. `default_location`
    is the room of events without LOCATION, which are common in the calendar of one room.
    Raises UnreadableCalendarError if the file is cut off, no calendar, or not in UTF-8;
    LimitExceededError if the file exceeds MAX_FILE_BYTES or MAX_COMPONENTS; no other error.
    """
    calendars, definitions = read_components(raw)
    reader = _Reader(zone_of, default_location, Moments(Zones(definitions)))
    for calendar in calendars:
        reader.read(calendar)
    name = next((str(c.get("X-WR-CALNAME", "")) for c in calendars), "")
    return ParsedCalendar(
        name or "Calendar", tuple(reader.events), tuple(reader.series), tuple(reader.refused)
    )


class _Reader:
    """Collects the events of the calendars of one file, grouped by UID."""

    def __init__(self, zone_of: ZoneOf, default_location: str, moments: Moments) -> None:
        self._zone_of = zone_of
        self._default_location = default_location
        self._moments = moments
        self.events: list[CalendarEvent] = []
        self.series: list[ParsedSeries] = []
        self.refused: list[RefusedEvent] = []

    def read(self, calendar: Calendar) -> None:
        """Collect the events of one calendar. With METHOD:CANCEL all of them are cancelled."""
        self._name = text_of(calendar, "X-WR-CALNAME") or "Calendar"
        self._cancels = text_of(calendar, "METHOD").upper() == "CANCEL"
        groups: dict[str, list[Event]] = {}
        for entry in calendar.walk("VEVENT"):
            if isinstance(entry, Event):
                groups.setdefault(text_of(entry, "UID"), []).append(entry)
        for uid, entries in groups.items():
            if not uid or len(uid) > MAX_UID_LENGTH:
                self._refuse_all(
                    entries,
                    BookingErrorCode.NO_UID,
                    f"The event needs a UID of 1 to {MAX_UID_LENGTH} characters.",
                )
                continue
            self._group(entries)

    def _group(self, entries: list[Event]) -> None:
        masters = [entry for entry in entries if "RECURRENCE-ID" not in entry]
        changes = [entry for entry in entries if "RECURRENCE-ID" in entry]
        if len(masters) > 1:
            self._refuse_all(
                entries,
                BookingErrorCode.REPEATED_UID,
                "The UID occurs more than once in the file. Give each event a UID of its own.",
            )
        elif not masters:
            for entry in changes:  # the file has single dates of a series, but not the series
                self._try(entry, lambda e: self.events.append(self._single_date(e)))
        elif changes or any(name in masters[0] for name in RECURRING):
            self._take_series(masters[0], changes)
        else:
            self._try(masters[0], lambda e: self.events.append(self._event(e)))

    def _take_series(self, master: Event, changes: list[Event]) -> None:
        """Collect a series with its changed dates, or refuse the series and all of its changes."""
        before = len(self.refused)
        if not self._try(master, lambda e: self.series.append(self._series(e, changes))):
            del self.refused[before:-1]
            self._refuse_all(
                changes,
                BookingErrorCode.SERIES_REFUSED,
                "The series of this date is refused. Correct the series first.",
            )

    def _series(self, master: Event, changes: list[Event]) -> ParsedSeries:
        first = self._event(master)
        zone = self._zone_of(first.location)
        series, start = read_series(master, first, self._moments, zone)
        overrides: list[Override] = list(series.overrides)
        lost: list[datetime] = []
        for entry in changes:
            refuse_unreadable(entry)  # a bad RECURRENCE-ID refuses the series: its date is unknown
            moment = self._moments.one(entry, "RECURRENCE-ID", start.zone)
            if moment is None or "RANGE" in entry["RECURRENCE-ID"].params:
                raise InvalidCommandError(
                    "A change applies to this and all following dates. Split the series there.",
                    code=BookingErrorCode.UNSUPPORTED_RANGE,
                )
            at = moment.seen_from(start)

            def take(entry: Event, at: datetime = at) -> None:
                overrides.append(Override(at, self._event(entry, within=first)))

            if not self._try(entry, take):
                lost.append(at)
        return replace(series, overrides=tuple(overrides), exdates=(*series.exdates, *lost))

    def _single_date(self, entry: Event) -> CalendarEvent:
        event = self._event(entry)
        moment = self._moments.one(entry, "RECURRENCE-ID", self._zone_of(event.location))
        if moment is None:
            raise InvalidCommandError(
                "RECURRENCE-ID of the event cannot be read.", code=BookingErrorCode.BAD_TIME
            )
        return replace(event, uid=occurrence_uid(event.uid, moment.local))

    def _event(self, entry: Event, within: CalendarEvent | None = None) -> CalendarEvent:
        """Return one VEVENT. For an override, location and organizer default to its series."""
        refuse_unreadable(entry)
        usual = within.location if within else self._default_location
        location = clean_line(text_of(entry, "LOCATION")) or usual
        zone = self._zone_of(location)
        start = self._moments.one(entry, "DTSTART", zone)
        if start is None:
            raise InvalidCommandError(
                "The event has no DTSTART. Add a start.", code=BookingErrorCode.BAD_TIME
            )
        length = length_of(entry, start, self._moments.one(entry, "DTEND", start.zone))
        parsed = CalendarEvent(
            uid=text_of(entry, "UID"),
            location=location,
            start=start.aware,
            end=length.after(start.aware),
            title=clean_line(text_of(entry, "SUMMARY")),
            organizer=clean_line(_organizer(entry)) or (within.organizer if within else self._name),
            is_private=text_of(entry, "CLASS").upper() in ("PRIVATE", "CONFIDENTIAL"),
            is_cancelled=self._cancels or text_of(entry, "STATUS").upper() == "CANCELLED",
        )
        parsed.interval  # noqa: B018 - raises for an empty interval
        if not parsed.location:
            raise InvalidCommandError(
                "The event has no LOCATION. Enter the name of a room.",
                code=BookingErrorCode.NO_ROOM,
            )
        return parsed

    def _try(self, entry: Event, take: Callable[[Event], None]) -> bool:
        """Return whether `take` accepted the event; otherwise add its refusal."""
        try:
            take(entry)
        except MeetingRoomsError as exc:
            self._refuse_all([entry], exc.code, exc.detail)
        except LIBRARY_ERRORS as exc:
            self._refuse_all(
                [entry], BookingErrorCode.BAD_EVENT, f"The event cannot be read: {str(exc)[:100]}."
            )
        else:
            return True
        return False

    def _refuse_all(self, entries: list[Event], code: str, detail: str) -> None:
        for entry in entries:
            uid, title = text_of(entry, "UID"), text_of(entry, "SUMMARY")
            self.refused.append(RefusedEvent(uid, title, code, detail))


def text_of(entry: Event | Calendar, name: str) -> str:
    """Return the text of a property, "" if there is none, the first if there are several."""
    value = entry.get(name, "")
    return str(value[0] if isinstance(value, list) else value).strip()


def _organizer(entry: Event) -> str:
    organizer = entry.get("ORGANIZER")
    if organizer is None or isinstance(organizer, list):
        return ""
    address = str(organizer)
    return str(organizer.params.get("CN", "")) or (
        address[7:] if address.lower().startswith("mailto:") else ""
    )
