"""What a calendar file holds, as values: single events, series, and refusals. Pure."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from booking.domain.error_codes import BookingErrorCode
from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_COMPONENTS = 20_000
MAX_UID_LENGTH = 255


class UnreadableCalendarError(InvalidCommandError):
    """The file as a whole cannot be read; nothing of it may be used."""

    default_code = BookingErrorCode.UNREADABLE_CALENDAR


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """One event as the file tells it, its room still a name. Times keep the file's zone."""

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
        """Return the event's stretch in UTC. Raises InvalidCommandError if it is empty."""
        return Interval.of(self.start, self.end)

    def shifted(self, by: timedelta) -> "ParsedEvent":
        """Return the event some days later, at the same local time of day."""
        # Wall-clock arithmetic: the zone's offset is looked up afresh on the new date.
        return replace(self, start=self.start + by, end=self.end + by)


@dataclass(frozen=True, slots=True)
class Length:
    """How long each event of a series lasts.

    `days` are counted on the wall clock and `rest` in real time: RFC 5545 3.3.6 for DURATION.
    DTEND repeats the exact length, so there `days` is 0 (3.8.5.3); whole days are `days` alone.
    """

    days: int
    rest: timedelta

    def after(self, start: datetime) -> datetime:
        """Return the end of an event that starts at `start` (aware), in the same zone."""
        try:
            day = start + timedelta(days=self.days)  # wall clock: its offset is looked up afresh
            return (day.astimezone(UTC) + self.rest).astimezone(start.tzinfo)
        except OverflowError as exc:
            raise InvalidCommandError(
                "Its time is outside the years 1 to 9999.", code=KernelErrorCode.INVALID_TIME
            ) from exc


@dataclass(frozen=True, slots=True)
class Override:
    """One event of a series that was moved, renamed or cancelled.

    `recurrence_id` is the naive local time, in the series' zone, at which it stood at first.
    """

    recurrence_id: datetime
    event: ParsedEvent


@dataclass(frozen=True, slots=True)
class ParsedSeries:
    """A recurring event. `start` is aware, in the zone in which the rule is counted.

    `exdates` and `rdates` are naive local times in that zone. `rule` is RRULE text, or None for a
    series that lists its dates.
    """

    first: ParsedEvent
    length: Length
    rule: str | None
    exdates: tuple[datetime, ...]
    rdates: tuple[datetime, ...]
    overrides: tuple[Override, ...]

    @property
    def uid(self) -> str:
        """Return the one UID of the whole series."""
        return self.first.uid

    @property
    def title(self) -> str:
        """Return the title of the events that nobody renamed."""
        return self.first.title

    @property
    def location(self) -> str:
        """Return the room's name as the file has it."""
        return self.first.location

    @property
    def start(self) -> datetime:
        """Return the start of the first event."""
        return self.first.start


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """One event that was not taken, and why."""

    uid: str
    title: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ParsedCalendar:
    """A file's events in the order of the file, and those that cannot be booked."""

    name: str
    events: tuple[ParsedEvent, ...]
    series: tuple[ParsedSeries, ...]
    refused: tuple[RefusedEvent, ...]

    @property
    def first_day(self) -> date | None:
        """Return the local date on which the earliest event starts; of a series, its first."""
        return min((start.date() for start in self.starts()), default=None)

    def starts(self) -> Iterator[datetime]:
        """Yield the start of every event and of every series, in the file's zones."""
        yield from (event.start for event in self.events)
        yield from (series.start for series in self.series)


def occurrence_uid(uid: str, recurrence_id: datetime) -> str:
    """Return a UID for one date of a series that is kept as a single event.

    At most MAX_UID_LENGTH characters: of a longer UID its digest stands in.
    """
    date_of = f"#{recurrence_id:%Y%m%dT%H%M%S}"
    if len(uid) + len(date_of) > MAX_UID_LENGTH:
        uid = hashlib.sha256(uid.encode()).hexdigest()
    return uid + date_of
