"""Times of a calendar file: local time, zone, and whether it is a whole day. Pure."""

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
    """A time cannot be read, or there are too many or too few of them."""

    default_code = BookingErrorCode.BAD_TIME


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as the file has it. `local` is naive; a whole day begins at its midnight."""

    local: datetime
    zone: ZoneInfo
    is_day: bool

    @property
    def aware(self) -> datetime:
        """Return it with its zone. A time that a clock change skips is read as RFC 5545 3.3.5."""
        return self.local.replace(tzinfo=self.zone)

    def seen_from(self, start: "Moment") -> datetime:
        """Return the naive local time in the zone of `start`; a day means that day's event."""
        if self.is_day and not start.is_day:
            return datetime.combine(self.local.date(), start.local.time())
        if self.zone.key == start.zone.key:
            return self.local
        return self.aware.astimezone(UTC).astimezone(start.zone).replace(tzinfo=None)


class Moments:
    """Reads the times of one file's events. Raises InvalidCommandError for what is no time."""

    def __init__(self, zones: Zones) -> None:
        self._zones = zones

    def one(self, entry: Event, name: str, floating: ZoneInfo | None) -> Moment | None:
        """Return the time in a property, None where the event has none."""
        value = entry.get(name)
        if value is None:
            return None
        if isinstance(value, list):
            raise BadTimeError(f"It has {name} more than once. Keep one.")
        return self._moment(value.dt, value.params.get(TZID), floating)

    def several(self, entry: Event, name: str, floating: ZoneInfo | None) -> Iterator[Moment]:
        """Yield the times of a property that lists them. Of periods, their starts."""
        for start, _ in self.periods(entry, name, floating):
            yield start

    def periods(
        self, entry: Event, name: str, floating: ZoneInfo | None
    ) -> Iterator[tuple[Moment, Moment | timedelta | None]]:
        """Yield start and end (or length, or nothing) of what a property lists."""
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
            if value.tzinfo is not None:  # it ends in Z
                return Moment(local, UTC_ZONE, is_day=False)
            if tzid:
                return Moment(local, self._zones.find(tzid, local), is_day=False)
            return Moment(local, _named(floating), is_day=False)
        if isinstance(value, date):
            return Moment(datetime.combine(value, wall_time(0)), _named(floating), is_day=True)
        raise BadTimeError("One of its times is neither a date nor a time of a day.")


def refuse_unreadable(entry: Event) -> None:
    """Raise InvalidCommandError for what the library could not read of an event."""
    for name, problem in entry.errors:
        if name == "RRULE":
            raise InvalidCommandError(
                f"Its rule cannot be read: {str(problem)[:100]}.",
                code=BookingErrorCode.RULE_NOT_READABLE,
            )
        if name in TIMES:
            raise BadTimeError(f"Its {name} cannot be read: {str(problem)[:100]}.")


def length_of(entry: Event, start: Moment, end: Moment | None) -> Length:
    """Return how long the event lasts: DTEND in real time, DURATION by days and then real time.

    Without either, a day lasts a day and a time no time at all (RFC 5545 3.6.1).
    """
    if end is not None and end.is_day != start.is_day:
        raise BadTimeError("It starts with a date and ends with a time, or the other way round.")
    if end is not None and start.is_day:
        return Length((end.local - start.local).days, timedelta(0))
    if end is not None:
        return Length(0, end.aware.astimezone(UTC) - start.aware.astimezone(UTC))
    duration = entry.get("DURATION")
    if duration is None:
        return Length(int(start.is_day), timedelta(0))
    if isinstance(duration, list) or not isinstance(duration.dt, timedelta):
        raise BadTimeError("Its DURATION cannot be read.")
    return nominal(duration.dt)


def nominal(duration: timedelta) -> Length:
    """Return the length that a DURATION of days and time means."""
    return Length(duration.days, duration - timedelta(days=duration.days))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _named(floating: ZoneInfo | None) -> ZoneInfo:
    if floating is None:
        raise InvalidCommandError(
            "Its times name no time zone, and neither does its room. Name a time zone for them.",
            code=KernelErrorCode.TIME_WITHOUT_ZONE,
        )
    return floating
