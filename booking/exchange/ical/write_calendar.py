"""Writing bookings as an iCalendar file (RFC 5545) that other programs read alike. Pure."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vRecur

from booking.domain.error_codes import BookingErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.product import PRODUCT_NAME

PRODUCT = f"-//{PRODUCT_NAME}//Booking//EN"
NO_ADDRESS = "invalid:nomail"  # an ORGANIZER must be an address; this one says that there is none


class EntryStatus(StrEnum):
    """How sure an entry is, in the words of RFC 5545."""

    CONFIRMED = "CONFIRMED"
    TENTATIVE = "TENTATIVE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """One booking, series or changed date of a series, as it may be read by whom the file is for.

    `start` and `end` are aware, in a ZoneInfo or UTC; a series is counted in the zone of `start`.
    `exdates`, `rdates` and `recurrence_id` are naive local times in that zone. All entries of one
    series share one `uid`; those with a `recurrence_id` replace that date.
    `stamp` is when it was last changed, None where nobody knows.
    Privacy is the caller's: an entry that the reader may not read comes in with the title "Busy"
    and without organizer, location and description of its own.
    """

    uid: str
    start: datetime
    end: datetime
    title: str
    stamp: datetime | None = None
    organizer: str = ""
    organizer_email: str = ""
    status: EntryStatus = EntryStatus.CONFIRMED
    rule: str | None = None
    exdates: tuple[datetime, ...] = ()
    rdates: tuple[datetime, ...] = ()
    recurrence_id: datetime | None = None
    recurrence_zone: ZoneInfo | None = None
    sequence: int = 0
    location: str = ""
    description: str = ""
    is_private: bool = False


def write_calendar(entries: Iterable[CalendarEntry], *, name: str, now: datetime) -> bytes:
    """Return a calendar with these entries in their order, every zone defined.

    Guarantees: RECURRENCE-ID, EXDATE and RDATE have the type and the zone of DTSTART of the series;
    lines are folded and text is escaped; no control characters; the same entries give the same
    bytes at the same `now`. Raises InvalidCommandError for an entry without a named zone.
    """
    calendar = Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", "PUBLISH")
    calendar.add("X-WR-CALNAME", clean_line(name))
    for entry in entries:
        calendar.add_component(_event(entry, now))
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _event(entry: CalendarEntry, now: datetime) -> Event:
    zone = _zone(entry.start)
    event = Event()
    event.add("UID", entry.uid)
    event.add("DTSTAMP", now.astimezone(UTC))
    if entry.stamp is not None:
        event.add("LAST-MODIFIED", entry.stamp.astimezone(UTC))
    event.add("SEQUENCE", entry.sequence)
    event.add("DTSTART", entry.start.replace(tzinfo=zone))
    event.add("DTEND", entry.end.astimezone(zone))
    event.add("SUMMARY", clean_line(entry.title))
    event.add("STATUS", entry.status.value)
    event.add("TRANSP", "OPAQUE")
    event.add("CLASS", "PRIVATE" if entry.is_private else "PUBLIC")
    _add_recurrence(event, entry, zone)
    _add_words(event, entry)
    return event


def _add_recurrence(event: Event, entry: CalendarEntry, zone: ZoneInfo) -> None:
    if entry.recurrence_id is not None:
        at = entry.recurrence_id.replace(tzinfo=entry.recurrence_zone or zone)
        event.add("RECURRENCE-ID", at)
    if entry.rule is not None:
        event.add("RRULE", vRecur.from_ical(entry.rule))
    for name, times in (("EXDATE", entry.exdates), ("RDATE", entry.rdates)):
        if times:
            event.add(name, [at.replace(tzinfo=zone) for at in times])


def _add_words(event: Event, entry: CalendarEntry) -> None:
    if entry.location:
        event.add("LOCATION", clean_line(entry.location))
    if entry.description:
        event.add("DESCRIPTION", clean_text(entry.description))
    if entry.organizer:
        address = f"mailto:{entry.organizer_email}" if entry.organizer_email else NO_ADDRESS
        organizer = vCalAddress(clean_line(address))
        organizer.params["CN"] = clean_line(entry.organizer).replace('"', "'")
        event.add("ORGANIZER", organizer)


def clean_line(text: str) -> str:
    """Return the text on one line, control characters turned into blanks."""
    return " ".join(clean_text(text).split())


def clean_text(text: str) -> str:
    """Return the text without control characters, save for line breaks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c == "\n" or unicodedata.category(c)[:1] != "C" else " " for c in lines)


def _zone(start: datetime) -> ZoneInfo:
    if isinstance(start.tzinfo, ZoneInfo):
        return start.tzinfo
    if start.tzinfo is UTC:
        return ZoneInfo("UTC")
    raise InvalidCommandError(
        "A calendar entry needs a named time zone.", code=BookingErrorCode.UNKNOWN_ZONE
    )
