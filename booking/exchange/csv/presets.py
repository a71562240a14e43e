"""What the columns of a table are called, and how its times look, by the program it is from. Pure.

Relied on, as facts about the programs' own source: MRBS' report (`web/report.php`) writes a row of
column names in its interface's words and times as "10:00:00 - Monday 02 March 2026" in its English
version, with or without seconds, in 12 or 24 hours. LibreBooking's export
(`tpl/Admin/Reservations/reservations_csv.tpl`) has User, Resource, Title, Description, Begin, End,
Duration, Created, Last Modified and Reference Number, with times in the form of its language; its
import (`ReservationImportCsv.php`) has email, resource names, title, description, begin and end.
Both in English; another form of times is told with `date_format`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from booking.domain.error_codes import BookingErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError

DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
DIRECTIVES = frozenset("aAbBdHIjmMpSyYzf%")  # the others depend on the place, or are of no day
ISO_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")


class Preset(StrEnum):
    """The program that a table comes from."""

    MEETING_ROOMS = "meeting-rooms"
    MRBS = "mrbs"
    LIBREBOOKING = "librebooking"


@dataclass(frozen=True, slots=True)
class Layout:
    """Names of columns by what they hold, the usual one first, in small letters; time formats."""

    columns: dict[str, tuple[str, ...]]
    formats: tuple[str, ...]
    rooms_apart: str = ""  # what separates several rooms in one cell

    def hint(self, field: str) -> str:
        """Return the usual name of a column."""
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
        rooms_apart=",",
    ),
}  # fmt: skip


def checked_form(date_format: str) -> str:
    """Return a form of times that `strptime` can use, whatever it is then given.

    Raises InvalidCommandError `bad_date_format`: for a form without a year, one that repeats a
    part, or has a part that is none.
    """
    told = [name for name in DIRECTIVE.findall(date_format) if name != "%"]
    is_sound = DIRECTIVES.issuperset(told) and len(set(told)) == len(told)
    if is_sound and not {"y", "Y"}.isdisjoint(told):
        return date_format
    raise InvalidCommandError(
        f"'{date_format[:40]}' is no form of a date with a year and a time. Write it as in "
        "'%d.%m.%Y %H:%M', each part once.",
        code=BookingErrorCode.BAD_DATE_FORMAT,
    )
