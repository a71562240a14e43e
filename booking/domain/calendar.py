"""Reading an iCalendar file (RFC 5545) into events that can be booked, and reasons for the rest.

Pure: no store, no clock. Parsing is the `icalendar` library's; what may be booked is decided here.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as wall_time
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from meeting_rooms.kernel.errors import InvalidCommandError, LimitExceededError
from meeting_rooms.kernel.interval import Interval

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_EVENTS = 20_000
MAX_UID_LENGTH = 255


class UnreadableCalendarError(InvalidCommandError):
    """The file as a whole cannot be read; nothing of it may be used."""

    default_code = "unreadable_calendar"


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
    refused: tuple[RefusedEvent, ...]

    @property
    def first_day(self) -> date | None:
        """Return the local date on which the earliest event starts."""
        return min((event.start.date() for event in self.events), default=None)


def parse_calendar(raw: bytes, *, floating_zone: ZoneInfo | None = None) -> ParsedCalendar:
    """Read a file. `floating_zone` is for times that carry no zone; without it they are refused.

    Raises UnreadableCalendarError for a file that is cut off or no calendar, LimitExceededError
    for one over MAX_FILE_BYTES or MAX_EVENTS. One event's fault refuses that event alone.
    """
    calendar = _read(raw)
    name = str(calendar.get("X-WR-CALNAME", "")) or "Calendar"
    found: list[Event] = calendar.events
    if len(found) > MAX_EVENTS:
        raise LimitExceededError(f"The file has {len(found)} events; at most {MAX_EVENTS} go.")
    repeated = {uid for uid, n in Counter(map(_uid, found)).items() if n > 1}
    events: list[ParsedEvent] = []
    refused: list[RefusedEvent] = []
    for entry in found:
        try:
            events.append(_event(entry, name, repeated, floating_zone))
        except InvalidCommandError as exc:
            refused.append(RefusedEvent(_uid(entry), _text(entry, "SUMMARY"), exc.code, exc.detail))
    return ParsedCalendar(name, tuple(events), tuple(refused))


def _read(raw: bytes) -> Calendar:
    if len(raw) > MAX_FILE_BYTES:
        raise LimitExceededError(
            f"The file has {len(raw):,} bytes; at most {MAX_FILE_BYTES:,} go.",
            code="file_too_large",
        )
    if b"BEGIN:VCALENDAR" not in raw:
        raise UnreadableCalendarError("This is no iCalendar file: BEGIN:VCALENDAR is missing.")
    if not raw.rstrip().endswith(b"END:VCALENDAR"):
        raise UnreadableCalendarError(
            "The file is cut off: END:VCALENDAR is missing. Download it again."
        )
    try:
        return Calendar.from_ical(raw)
    except ValueError as exc:
        raise UnreadableCalendarError(f"The file cannot be read: {exc}.") from exc


def _event(
    entry: Event, calendar_name: str, repeated: set[str], floating_zone: ZoneInfo | None
) -> ParsedEvent:
    uid = _uid(entry)
    _refuse_unbookable(entry, uid, repeated)
    try:
        start, end = _times(entry, floating_zone)
    except ValueError as exc:  # the library's word for a value it cannot read
        raise InvalidCommandError(f"Its times cannot be read: {exc}.", code="bad_time") from exc
    parsed = ParsedEvent(
        uid=uid,
        location=_text(entry, "LOCATION"),
        start=start,
        end=end,
        title=" ".join(_text(entry, "SUMMARY").split()),
        organizer=_organizer(entry) or calendar_name,
        is_private=_text(entry, "CLASS").upper() in ("PRIVATE", "CONFIDENTIAL"),
        is_cancelled=_text(entry, "STATUS").upper() == "CANCELLED",
    )
    parsed.interval  # noqa: B018 - refuses an empty or zoneless stretch
    if not parsed.location:
        raise InvalidCommandError("It has no LOCATION, so no room is named.", code="no_room")
    return parsed


def _refuse_unbookable(entry: Event, uid: str, repeated: set[str]) -> None:
    if not uid or len(uid) > MAX_UID_LENGTH:
        raise InvalidCommandError(
            f"It needs a UID of 1 to {MAX_UID_LENGTH} characters to be recognised again.",
            code="no_uid",
        )
    recurring = [name for name in ("RRULE", "RDATE", "RECURRENCE-ID") if name in entry]
    if recurring:
        raise InvalidCommandError(
            f"It recurs ({recurring[0]}); only single events are imported. "
            "Export the calendar with its occurrences expanded.",
            code="recurring_event",
        )
    if uid in repeated:
        raise InvalidCommandError(
            "Its UID occurs more than once in the file, so which one counts is unknown.",
            code="repeated_uid",
        )


def _times(entry: Event, floating_zone: ZoneInfo | None) -> tuple[datetime, datetime]:
    start, end = entry.start, entry.end  # DTEND, or DTSTART plus DURATION, or what RFC 5545 implies
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        if floating_zone is None:
            raise InvalidCommandError(
                "It lasts whole days and names no zone. Name one with --timezone.",
                code="time_without_zone",
            )
        return _midnight(start, floating_zone), _midnight(end, floating_zone)
    if floating_zone is not None:
        start = start if start.tzinfo else start.replace(tzinfo=floating_zone)
        end = end if end.tzinfo else end.replace(tzinfo=floating_zone)
    return start, end


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, wall_time(0), zone)


def _uid(entry: Event) -> str:
    return _text(entry, "UID")


def _text(entry: Event, name: str) -> str:
    value = entry.get(name, "")
    return str(value[0] if isinstance(value, list) else value).strip()


def _organizer(entry: Event) -> str:
    organizer = entry.get("ORGANIZER")
    if organizer is None or isinstance(organizer, list):
        return ""
    return str(organizer.params.get("CN", "")) or str(organizer).removeprefix("mailto:")
