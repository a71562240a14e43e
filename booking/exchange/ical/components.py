"""Parse the bytes of a file into components, after checks of size and encoding. Pure."""

import re
from collections.abc import Iterator

from icalendar import Calendar

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.ical.events import (
    MAX_COMPONENTS,
    MAX_FILE_BYTES,
    UnreadableCalendarError,
)
from meeting_rooms.kernel.errors import LimitExceededError

FOLD = re.compile(r"\n[ \t]")
BEGIN = re.compile(r"^BEGIN:", re.MULTILINE | re.IGNORECASE)
# The library would look up zones in a table of the process, and guess. So TZID is renamed before
# parsing; then times are naive, and `Zones` finds their zone.
TZID = "X-MEETING-ROOMS-TZID"
ZONE_OF_TIME = re.compile(
    r"^((?:DTSTART|DTEND|RDATE|EXDATE|RECURRENCE-ID)\b[^:\r\n]*?);TZID=",
    re.MULTILINE | re.IGNORECASE,
)
# Errors of the library for values that it cannot read; its documentation names only ValueError.
LIBRARY_ERRORS = (
    ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip


def read_components(raw: bytes) -> tuple[list[Calendar], dict[str, list[str]]]:
    """Return the calendars of a file without VTIMEZONE, and the lines of each VTIMEZONE by TZID.

    Raises UnreadableCalendarError if the file is cut off, no calendar, or not in UTF-8;
    LimitExceededError if the file exceeds MAX_FILE_BYTES or MAX_COMPONENTS.
    """
    text = _text(raw)
    count = len(BEGIN.findall(text))
    if count > MAX_COMPONENTS:
        raise LimitExceededError(
            f"The file has {count:,} components; the maximum is {MAX_COMPONENTS:,}. Split it.",
            code=BookingErrorCode.TOO_MANY_COMPONENTS,
        )
    definitions: dict[str, list[str]] = {}
    rest = "\r\n".join(_without_zones(text, definitions)) + "\r\n"
    try:
        found = Calendar.from_ical(ZONE_OF_TIME.sub(rf"\1;{TZID}=", rest), multiple=True)
    except LIBRARY_ERRORS as exc:
        raise UnreadableCalendarError(f"The file cannot be read: {str(exc)[:200]}.") from exc
    calendars = [each for each in found if isinstance(each, Calendar)]
    if not calendars:
        raise UnreadableCalendarError(
            "The file is cut off: a component has no END. Download the file again."
        )
    return calendars, definitions


def _text(raw: bytes) -> str:
    if len(raw) > MAX_FILE_BYTES:
        raise LimitExceededError(
            f"The file has {len(raw):,} bytes; the maximum is {MAX_FILE_BYTES:,}. Split the file.",
            code=BookingErrorCode.FILE_TOO_LARGE,
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UnreadableCalendarError(
            f"The file is not in UTF-8 (byte {exc.start:,}). Save the file as UTF-8.",
            code=BookingErrorCode.NOT_UTF8,
        ) from exc
    if "BEGIN:VCALENDAR" not in text or "\0" in text:
        raise UnreadableCalendarError(
            "The file is not an iCalendar file: it has no BEGIN:VCALENDAR, or is not a text."
        )
    if not text.rstrip().endswith("END:VCALENDAR"):
        raise UnreadableCalendarError(
            "The file is cut off: END:VCALENDAR is missing. Download the file again."
        )
    return text


def _without_zones(text: str, definitions: dict[str, list[str]]) -> Iterator[str]:
    """Yield the lines outside of VTIMEZONE; store the unfolded lines inside in `definitions`."""
    zone: list[str] | None = None
    # Not splitlines(): it also splits at characters that a text value may contain.
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    for line in FOLD.sub("", lines).split("\n"):
        if zone is None:
            if line.strip().upper() == "BEGIN:VTIMEZONE":
                zone = []
            elif line:
                yield line
        elif line.strip().upper() == "END:VTIMEZONE":
            _define(definitions, zone)
            zone = None
        else:
            zone.append(line.strip())


def _define(definitions: dict[str, list[str]], lines: list[str]) -> None:
    for line in lines:
        name, _, value = line.partition(":")
        if name.partition(";")[0].upper() == "TZID":
            definitions.setdefault(value, lines)
