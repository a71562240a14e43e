"""Column names and time formats of the programs that a table may come from. Pure.

Source, the code of these programs: MRBS' report (`web/report.php`) writes a row of
column names in its interface's words and times as "10:00:00 - Monday 02 March 2026" in its English
version, with or without seconds, in 12 or 24 hours. LibreBooking's export
(`tpl/Admin/Reservations/reservations_csv.tpl`) has User, Resource, Title, Description, Begin, End,
Duration, Created, Last Modified and Reference Number, with times in the form of its language; its
import (`ReservationImportCsv.php`) has email, resource names, title, description, begin and end.
Both layouts are the English ones; for other times the caller gives a `date_format`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from booking.domain.error_codes import BookingErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError

DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
DIRECTIVES = frozenset("aAbBdHIjmMpSyYzf%")  # not those that depend on a locale or name no day
ISO_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")


class Preset(StrEnum):
    """The program that wrote a table."""

    MEETING_ROOMS = "meeting-rooms"
    MRBS = "mrbs"
    LIBREBOOKING = "librebooking"


@dataclass(frozen=True, slots=True)
class Layout:
    """Time formats, and the column names of each field: in lower case, the usual name first."""

    columns: dict[str, tuple[str, ...]]
    formats: tuple[str, ...]
    room_separator: str = ""  # between several rooms in one cell; "": one room only

    def hint(self, field: str) -> str:
        """Return the usual column name of a field."""
        return self.columns[field][0]


LAYOUTS: dict[Preset, Layout] = {
    Preset.MEETING_ROOMS: Layout(
        columns={
            name: (name,)
            for name in (
                "id", "room", "building", "starts_at", "ends_at", "title", "organizer",
                "organizer_email", "state", "private",
            )
        },
        formats=(),  # ISO 8601 with an offset, or local without one
    ),
    Preset.MRBS: Layout(
        columns={
            "room": ("room",),
            "building": ("area",),
            "starts_at": ("start time", "start"),
            "ends_at": ("end time", "end"),
            "title": ("brief description", "name"),
            "organizer": ("created by",),
        },
        formats=(
            "%H:%M:%S - %A %d %B %Y",
            "%H:%M - %A %d %B %Y",
            "%I:%M:%S%p - %A %d %B %Y",
            "%I:%M%p - %A %d %B %Y",
        ),
    ),
    Preset.LIBREBOOKING: Layout(
        columns={
            "id": ("reference number",),
            "room": ("resource", "resource names"),
            "starts_at": ("begin", "beginning", "start date"),
            "ends_at": ("end", "ending", "end date"),
            "title": ("title",),
            "organizer": ("user", "email"),
            "organizer_email": ("email",),
        },
        formats=("%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M"),
        room_separator=",",
    ),
}  # fmt: skip


def checked_form(date_format: str) -> str:
    """Return the date format if `strptime` can use it for every text.

    Raises InvalidCommandError `bad_date_format` if the format has no year, repeats a directive, or
    has an unknown directive.
    """
    directives = [name for name in DIRECTIVE.findall(date_format) if name != "%"]
    is_sound = DIRECTIVES.issuperset(directives) and len(set(directives)) == len(directives)
    if is_sound and not {"y", "Y"}.isdisjoint(directives):
        return date_format
    raise InvalidCommandError(
        f"'{date_format[:40]}' is not a date format with a year and a time. Write it as in "
        "'%d.%m.%Y %H:%M', each part once.",
        code=BookingErrorCode.BAD_DATE_FORMAT,
    )
