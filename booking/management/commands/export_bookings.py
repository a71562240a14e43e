"""`manage.py export_bookings --from DAY --to DAY -o FILE.csv`: write bookings as a table."""

from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from tqdm import tqdm

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.csv.table import write_table
from booking.exchange.export_table import bookings_around, table_rows
from booking.models import Booking
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError, MeetingRoomsError
from rooms.places.ensure_room import find_room_by_name
from rooms.queries import get_building

EXIT_NOTHING_WRITTEN = 2  # exit code


class Command(BaseCommand):
    """Writes bookings to a table, one row each."""

    help = (
        "Write the bookings of a range of days as a table (CSV in UTF-8) for import_bookings. Days "
        "are local in the building of each room. Private bookings are 'Busy' unless "
        "--include-private is given. Exit codes: 0 written, 2 nothing written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--from", dest="first", required=True, help="First day, YYYY-MM-DD.")
        parser.add_argument(
            "--to", dest="last", required=True, help="Last day (included), YYYY-MM-DD."
        )
        parser.add_argument("--building", help="Slug of a building: write only its bookings.")
        parser.add_argument("--room", help="Name of a room: write only its bookings.")
        parser.add_argument(
            "--include-private",
            action="store_true",
            help="Write titles and names of private bookings.",
        )
        parser.add_argument("-o", "--output", type=Path, required=True, help="The file to write.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write the table and print the number of bookings."""
        try:
            written = _write(options)
        except (MeetingRoomsError, OSError) as exc:
            detail = exc.detail if isinstance(exc, MeetingRoomsError) else str(exc)
            raise CommandError(detail, returncode=EXIT_NOTHING_WRITTEN) from exc
        self.stderr.write(f"{written:,} bookings written to {options['output']}.")


def _write(options: dict[str, Any]) -> int:
    first, last = _day(options["first"]), _day(options["last"])
    if last < first:
        raise InvalidCommandError(
            "--to is before --from. Swap the days.", code=KernelErrorCode.END_NOT_AFTER_START
        )
    viewer = Actor(ActorKind.SYSTEM, "export", is_admin=options["include_private"])
    found = _bookings(first, last, options)
    written = 0
    with (
        options["output"].open("w", encoding="utf-8-sig", newline="") as out,
        closing(tqdm(total=found.count(), unit="booking", disable=None)) as bar,
    ):
        for line in write_table(table_rows(found, viewer, first, last)):
            out.write(line)
            written += 1
            bar.update(1)
    return written - 1  # the first line has the names of the columns


def _bookings(first: date, last: date, options: dict[str, Any]) -> QuerySet[Booking]:
    found = bookings_around(first, last)
    building = options["building"] and get_building(options["building"])
    if options["room"]:
        return found.filter(room=find_room_by_name(options["room"], building=options["building"]))
    return found.filter(room__floor__building=building) if building else found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise InvalidCommandError(
            f"'{text}' is not a date. Write YYYY-MM-DD.", code=BookingErrorCode.BAD_DATE
        ) from exc
