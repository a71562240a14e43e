"""The content of a calendar file as values: single events, series and refusals. Pure."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from booking.domain.error_codes import BookingErrorCode
from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval

MAX_FILE_BYTES = 10 * 1024 * 1024  # bounds the memory of an import
MAX_COMPONENTS = 20_000  # bounds the time of an import: events, alarms and zones of a file
MAX_UID_LENGTH = 255  # characters, the size of the column `Booking.external_uid`


class UnreadableCalendarError(InvalidCommandError):
    """The file cannot be read as a calendar; no event of the file may be used."""

    default_code = BookingErrorCode.UNREADABLE_CALENDAR


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event of a file. `location` is the name of its room; times have the zone of the file."""

    uid: str
    location: str
    start: datetime
    end: datetime
    title: str
    organizer: str
    is_private: bool
    is_cancelled: bool

    @property
    def interval(self) -> Interval:
        """Return the interval of the event in UTC. Raises InvalidCommandError if it is empty."""
        return Interval.of(self.start, self.end)

    def shifted(self, by: timedelta) -> "CalendarEvent":
        """Return the event some days later, at the same local time of day."""
        # Arithmetic in local time: Python looks up the offset of the new date.
        return replace(self, start=self.start + by, end=self.end + by)


@dataclass(frozen=True, slots=True)
class Length:
    """How long each event of a series lasts.

    `days` are counted in local time and `rest` in real time, as RFC 5545 3.3.6 says of DURATION.
    With DTEND each event has the exact length (3.8.5.3), so `days` is 0. An all-day event has only
    `days`.
    """

    days: int
    rest: timedelta

    def after(self, start: datetime) -> datetime:
        """Return the end of an event that starts at `start` (aware), in the same zone.

        Raises InvalidCommandError if the end is outside the calendar of Python.
        """
        try:
            day = start + timedelta(days=self.days)  # local time, with the offset of that day
            return (day.astimezone(UTC) + self.rest).astimezone(start.tzinfo)
        except OverflowError as exc:
            raise InvalidCommandError(
                "The time of the event is outside the years 1 to 9999. Correct it.",
                code=KernelErrorCode.INVALID_TIME,
            ) from exc


@dataclass(frozen=True, slots=True)
class Override:
    """One event of a series that was moved, renamed or cancelled.

    `recurrence_id` is its original local time, naive, in the zone of the series.
    """

    recurrence_id: datetime
    event: CalendarEvent


@dataclass(frozen=True, slots=True)
class ParsedSeries:
    """A recurring event. `start` is aware, in the zone of the rule.

    `exdates` and `rdates` are naive local times in that zone. `rule` is RRULE text, or None if the
    series only lists its dates.
    """

    first: CalendarEvent
    length: Length
    rule: str | None
    exdates: tuple[datetime, ...]
    rdates: tuple[datetime, ...]
    overrides: tuple[Override, ...]

    @property
    def uid(self) -> str:
        """Return the UID of the series."""
        return self.first.uid

    @property
    def title(self) -> str:
        """Return the title of all events except renamed ones."""
        return self.first.title

    @property
    def location(self) -> str:
        """Return the name of the room in the file."""
        return self.first.location

    @property
    def start(self) -> datetime:
        """Return the start of the first event."""
        return self.first.start


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """One event that was not imported, and why."""

    uid: str
    title: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ParsedCalendar:
    """The events and series of a file in its order, and the events that cannot be booked."""

    name: str
    events: tuple[CalendarEvent, ...]
    series: tuple[ParsedSeries, ...]
    refused: tuple[RefusedEvent, ...]

    @property
    def first_day(self) -> date | None:
        """Return the local date of the earliest start; a series counts with its first date."""
        return min((start.date() for start in self.starts()), default=None)

    def starts(self) -> Iterator[datetime]:
        """Yield the start of every event and of every series, in the zones of the file."""
        yield from (event.start for event in self.events)
        yield from (series.start for series in self.series)


def occurrence_uid(uid: str, recurrence_id: datetime) -> str:
    """Return a UID for one date of a series that is stored as a single event.

    Guarantees: at most MAX_UID_LENGTH characters; a longer UID is replaced by its digest.
    """
    date_of = f"#{recurrence_id:%Y%m%dT%H%M%S}"
    if len(uid) + len(date_of) > MAX_UID_LENGTH:
        uid = hashlib.sha256(uid.encode()).hexdigest()
    return uid + date_of
