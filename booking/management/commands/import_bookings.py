"""`manage.py import_bookings FILE.csv --preset … --building …`: bookings from a table."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from tqdm import tqdm

from booking.calendar_import import CalendarImport, ImportReport
from booking.domain.calendars.events import ParsedEvent
from booking.domain.table import (
    MAX_TABLE_BYTES,
    ParsedRow,
    ParsedTable,
    RefusedRow,
    parse_table,
)
from booking.domain.table_presets import Preset
from booking.models import Booking
from booking.services.import_event import ImportOutcome
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.errors import LimitExceededError, MeetingRoomsError
from rooms.models import Building, Room
from rooms.selectors import get_building
from rooms.services.ensure_room import ensure_room, find_room_by_name

EXIT_SOME_REFUSED = 1
EXIT_UNREADABLE = 2
MAX_REFUSALS_SHOWN = 20
UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Command(BaseCommand):
    """Reads a table and imports its rows."""

    help = (
        "Imports bookings from a table (CSV in UTF-8). By default all rows are taken or none; "
        "--partial takes what fits. A row is recognised by its number, or by its times and title, "
        "so a second run changes nothing. A dry run does everything and takes it back. "
        "Exit codes: 0 all taken, 1 some rows refused, 2 the file cannot be used at all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare file and options."""
        parser.add_argument("file", type=Path, help="The .csv file (at most 5 MB, 20,000 rows).")
        parser.add_argument(
            "--preset",
            choices=[preset.value for preset in Preset],
            default=Preset.MEETING_ROOMS.value,
            help="The program that wrote the table.",
        )
        parser.add_argument(
            "--building", required=True, help="Slug of the building that the rooms are in."
        )
        parser.add_argument(
            "--date-format",
            help="Form of the times as strptime has it, such as '%%d.%%m.%%Y %%H:%%M'.",
        )
        parser.add_argument("--create-rooms", action="store_true", help="Make rooms not yet known.")
        parser.add_argument(
            "--partial", action="store_true", help="Take what fits, not all or none."
        )
        parser.add_argument("--dry-run", action="store_true", help="Report, but store nothing.")
        parser.add_argument("--json", action="store_true", help="Print the report as JSON.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse, import, report; exit with the code that the help names."""
        try:
            building = get_building(options["building"])
            table = _read(options, building)
        except (MeetingRoomsError, OSError) as exc:
            self._fail(exc, as_json=options["json"])
        report, refused = _import(table, building, options)
        stored = not options["dry_run"] and (options["partial"] or not refused)
        self._print(report, refused, is_stored=stored, options=options)
        if refused:
            sys.exit(EXIT_SOME_REFUSED)

    def _print(
        self,
        report: ImportReport,
        refused: Sequence[RefusedRow],
        *,
        is_stored: bool,
        options: dict[str, Any],
    ) -> None:
        counts = {outcome.value: report.outcomes[outcome] for outcome in ImportOutcome}
        counts["refused"] = len(refused)
        if options["json"]:
            document = {
                "stored": is_stored,
                "dry_run": options["dry_run"],
                **counts,
                "rooms": len(report.rooms_used),
                "rooms_created": sorted(report.rooms_created),
                "refusals": [asdict(row) for row in refused],
            }
            self.stdout.write(json.dumps(document, indent=2))
            return
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        reason = "dry run" if options["dry_run"] else "rows were refused; see --partial"
        prefix = "" if is_stored else f"Nothing stored ({reason}). The rows: "
        self.stdout.write(f"{prefix}{told or 'no rows'}.")
        for row in refused[:MAX_REFUSALS_SHOWN]:
            self.stdout.write(f"  row {row.number}: {row.detail}")
        if (more := len(refused) - MAX_REFUSALS_SHOWN) > 0:
            self.stdout.write(f"  and {more} more; --json lists them all.")

    def _fail(self, exc: Exception, *, as_json: bool) -> NoReturn:
        detail = exc.detail if isinstance(exc, MeetingRoomsError) else str(exc)
        code = exc.code if isinstance(exc, MeetingRoomsError) else "unreadable_file"
        if as_json:
            self.stdout.write(json.dumps({"error": {"code": code, "detail": detail}}))
        raise CommandError(f"{detail} Nothing was stored.", returncode=EXIT_UNREADABLE)


def _read(options: dict[str, Any], building: Building) -> ParsedTable:
    path: Path = options["file"]
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise LimitExceededError(
            f"{path} is larger than {MAX_TABLE_BYTES:,} bytes.", code="file_too_large"
        )
    return parse_table(
        path.read_bytes(),
        preset=Preset(options["preset"]),
        zone=ZoneInfo(building.timezone),
        date_format=options["date_format"],
    )


def _import(
    table: ParsedTable, building: Building, options: dict[str, Any]
) -> tuple[ImportReport, list[RefusedRow]]:
    """Import in one transaction; take it back for a dry run, or where some rows were refused."""

    def find_room(event: ParsedEvent) -> tuple[Room, bool]:
        if not options["create_rooms"]:
            return find_room_by_name(event.location, building=building.slug), False
        return ensure_room(
            event.location, building=building.slug, timezone=building.timezone, is_public=False
        )

    rows, repeated = _once_each(table.rows)
    rows, unchanged, own = _not_from_here(rows)
    numbers = {row.event.uid: row.number for row in rows}
    actor = Actor(ActorKind.IMPORT, options["file"].name[:100])
    with (
        tqdm(total=len(rows), unit="row", disable=options["json"] or None) as bar,
        transaction.atomic(),
    ):
        run = CalendarImport(actor=actor, find_room=find_room, progress=bar.update)
        report = run.run([row.event for row in rows])
        report.outcomes[ImportOutcome.UNCHANGED] += unchanged
        late = [RefusedRow(numbers[e.uid], e.code, e.detail) for e in report.refused]
        refused = sorted([*table.refused, *repeated, *own, *late], key=lambda row: row.number)
        if options["dry_run"] or (refused and not options["partial"]):
            transaction.set_rollback(True)
    return report, refused


def _once_each(rows: Sequence[ParsedRow]) -> tuple[list[ParsedRow], list[RefusedRow]]:
    """Return the rows, and those that repeat an earlier one."""
    first: dict[str, ParsedRow] = {}
    repeated: list[RefusedRow] = []
    for row in rows:
        earlier = first.setdefault(row.event.uid, row)
        if earlier is not row:
            repeated.append(
                RefusedRow(row.number, "repeated_row", f"It is the same as row {earlier.number}.")
            )
    return list(first.values()), repeated


def _not_from_here(rows: Sequence[ParsedRow]) -> tuple[list[ParsedRow], int, list[RefusedRow]]:
    """Return the rows that are no bookings of this place, how many are as they stand, and the rest.

    A table that was exported here and comes back is not booked a second time.
    """
    ids = {row.id for row in rows if UUID_TEXT.fullmatch(row.id)}
    known = {str(b.pk): b for b in Booking.objects.select_related("room").filter(pk__in=ids)}
    new = [row for row in rows if row.id not in known]
    changed = [row for row in rows if row.id in known and not _is_as_stored(row, known[row.id])]
    refused = [
        RefusedRow(row.number, "booked_here", "It is a booking of this place. Change it here.")
        for row in changed
    ]
    return new, len(rows) - len(new) - len(changed), refused


def _is_as_stored(row: ParsedRow, booking: Booking) -> bool:
    return row.event.location == booking.room.name and row.event.interval == booking.interval
