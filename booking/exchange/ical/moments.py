"""Read the times of a calendar file, each with its local time and zone. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Event

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.ical.components import TZID
from booking.exchange.ical.events import Length
from booking.exchange.ical.timezones import Zones
from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError

UTC_ZONE = ZoneInfo("UTC")
TIMES = ("DTSTART", "DTEND", "DURATION", "RDATE", "EXDATE", "RECURRENCE-ID")


class BadTimeError(InvalidCommandError):
    """A time cannot be read, is missing, or occurs too often."""

    default_code = BookingErrorCode.BAD_TIME


@dataclass(frozen=True, slots=True)
class Moment:
    """One time of a file. `local` is naive; with `is_day` it is the midnight of a date value."""

    local: datetime
    zone: ZoneInfo
    is_day: bool

    @property
    def aware(self) -> datetime:
        """Return the aware time. A time that the clock skips is read as in RFC 5545 3.3.5."""
        return self.local.replace(tzinfo=self.zone)

    def seen_from(self, start: "Moment") -> datetime:
        """Return the naive local time in the zone of `start`.

        A date value means the event on that day, at the time of day of `start`.
        """
        if self.is_day and not start.is_day:
            return datetime.combine(self.local.date(), start.local.time())
        if self.zone.key == start.zone.key:
            return self.local
        return self.aware.astimezone(UTC).astimezone(start.zone).replace(tzinfo=None)


class Moments:
    """Reads the times of the events of one file.

    The methods raise InvalidCommandError if a time cannot be read or its zone is unknown.
    """

    def __init__(self, zones: Zones) -> None:
        self._zones = zones

    def one(self, entry: Event, name: str, floating: ZoneInfo | None) -> Moment | None:
        """Return the time of a property, None if the event does not have the property."""
        value = entry.get(name)
        if value is None:
            return None
        if isinstance(value, list):
            raise BadTimeError(f"The event has {name} more than once. Keep one.")
        return self._moment(value.dt, value.params.get(TZID), floating)

    def several(self, entry: Event, name: str, floating: ZoneInfo | None) -> Iterator[Moment]:
        """Yield the times that a property lists; of a period, its start."""
        for start, _ in self.periods(entry, name, floating):
            yield start

    def periods(
        self, entry: Event, name: str, floating: ZoneInfo | None
    ) -> Iterator[tuple[Moment, Moment | timedelta | None]]:
        """Yield the start of each time that a property lists, with end or length of a period."""
        for values in _listed(entry.get(name)):
            tzid = values.params.get(TZID)
            for value in values.dts:
                if not isinstance(value.dt, tuple):
                    yield self._moment(value.dt, tzid, floating), None
                    continue
                start, end = value.dt
                is_length = isinstance(end, timedelta)
                yield (
                    self._moment(start, tzid, floating),
                    end if is_length else self._moment(end, tzid, floating),
                )

    def _moment(
        self, value: datetime | date | Any, tzid: str | None, floating: ZoneInfo | None
    ) -> Moment:
        if isinstance(value, datetime):
            local = value.replace(tzinfo=None)
            if value.tzinfo is not None:  # the text ends in Z
                return Moment(local, UTC_ZONE, is_day=False)
            if tzid:
                return Moment(local, self._zones.find(tzid, local), is_day=False)
            return Moment(local, _named(floating), is_day=False)
        if isinstance(value, date):
            return Moment(datetime.combine(value, wall_time(0)), _named(floating), is_day=True)
        raise BadTimeError(
            "The event has a time that is neither a date nor a date with a time. Correct it."
        )


def refuse_unreadable(entry: Event) -> None:
    """Raise InvalidCommandError if the library could not read the rule or a time of an event."""
    for name, problem in entry.errors:
        if name == "RRULE":
            raise InvalidCommandError(
                f"The RRULE of the event cannot be read: {str(problem)[:100]}.",
                code=BookingErrorCode.RULE_NOT_READABLE,
            )
        if name in TIMES:
            raise BadTimeError(f"{name} of the event cannot be read: {str(problem)[:100]}.")


def length_of(entry: Event, start: Moment, end: Moment | None) -> Length:
    """Return the length of an event: from DTEND in real time, or from DURATION.

    Without both, a date value lasts one day and a time has length zero (RFC 5545 3.6.1).
    Raises BadTimeError if start and end are not of one kind, or DURATION cannot be read.
    """
    if end is not None and end.is_day != start.is_day:
        raise BadTimeError(
            "Of start and end of the event, one is a date and one is a time. Use one kind for both."
        )
    if end is not None and start.is_day:
        return Length((end.local - start.local).days, timedelta(0))
    if end is not None:
        return Length(0, end.aware.astimezone(UTC) - start.aware.astimezone(UTC))
    duration = entry.get("DURATION")
    if duration is None:
        return Length(int(start.is_day), timedelta(0))
    if isinstance(duration, list) or not isinstance(duration.dt, timedelta):
        raise BadTimeError("DURATION of the event cannot be read. Write it as in PT1H30M.")
    return nominal(duration.dt)


def nominal(duration: timedelta) -> Length:
    """Return the length of a DURATION: its days in local time, the rest in real time."""
    return Length(duration.days, duration - timedelta(days=duration.days))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _named(floating: ZoneInfo | None) -> ZoneInfo:
    if floating is None:
        raise InvalidCommandError(
            "The times of the event have no time zone, and its room has none. Name a time zone.",
            code=KernelErrorCode.TIME_WITHOUT_ZONE,
        )
    return floating
