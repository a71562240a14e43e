"""Write bookings as an iCalendar file (RFC 5545). Pure."""

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
NO_ADDRESS = "invalid:nomail"  # ORGANIZER must be a URI; this one means "no address"


class EntryStatus(StrEnum):
    """The STATUS of an entry in RFC 5545."""

    CONFIRMED = "CONFIRMED"
    TENTATIVE = "TENTATIVE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """One booking, series or changed date of a series, redacted by the caller.

    `start` and `end` are aware, in a ZoneInfo or UTC; the rule of a series is local in the zone of
    `start`. `exdates`, `rdates` and `recurrence_id` are naive local times in that zone. All entries
    of one series share one `uid`; an entry with a `recurrence_id` replaces that date.
    `stamp` is the instant of the last change, None if unknown.
    An entry that the reader may not read has the title "Busy", no organizer and no description.
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
    """Return a calendar with these entries in their order, and a VTIMEZONE for every zone.

    Guarantees: RECURRENCE-ID, EXDATE and RDATE have the type and the zone of DTSTART of the series;
    lines are folded, text is escaped, and there are no control characters; the same entries give
    the same bytes at the same `now`.
    Raises InvalidCommandError `unknown_zone` if an entry has no named zone.
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
    _add_texts(event, entry)
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


def _add_texts(event: Event, entry: CalendarEntry) -> None:
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
    """Return the text on one line, with a blank for each run of blanks and control characters."""
    return " ".join(clean_text(text).split())


def clean_text(text: str) -> str:
    """Return the text with blanks for control characters, except line breaks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c == "\n" or unicodedata.category(c)[:1] != "C" else " " for c in lines)


def _zone(start: datetime) -> ZoneInfo:
    if isinstance(start.tzinfo, ZoneInfo):
        return start.tzinfo
    if start.tzinfo is UTC:
        return ZoneInfo("UTC")
    raise InvalidCommandError(
        "A calendar entry needs a named time zone, such as Europe/Helsinki.",
        code=BookingErrorCode.UNKNOWN_ZONE,
    )
