"""`manage.py import_bookings FILE.csv --preset … --building …`: bookings from a table."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.csv.presets import Preset
from booking.exchange.csv.table import MAX_TABLE_BYTES, ParsedTable, parse_table
from booking.exchange.import_files import (
    HowToImport,
    TableReport,
    counted,
    import_table,
    known_rooms,
    rooms_made_as_needed,
)
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.errors import LimitExceededError, MeetingRoomsError
from rooms.models import Building
from rooms.queries import get_building

EXIT_SOME_REFUSED = 1
EXIT_UNREADABLE = 2
MAX_REFUSALS_SHOWN = 20


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
        report = _import(table, building, options)
        self._print(report, options)
        if report.refused:
            sys.exit(EXIT_SOME_REFUSED)

    def _print(self, report: TableReport, options: dict[str, Any]) -> None:
        done, refused = report.done, report.refused
        counts = counted(done, refused)
        if options["json"]:
            document = {
                "stored": report.is_stored,
                "dry_run": options["dry_run"],
                **counts,
                "rooms": len(done.rooms_used),
                "rooms_created": sorted(done.rooms_created),
                "refusals": [asdict(row) for row in refused],
            }
            self.stdout.write(json.dumps(document, indent=2))
            return
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        reason = "dry run" if options["dry_run"] else "rows were refused; see --partial"
        prefix = "" if report.is_stored else f"Nothing stored ({reason}). The rows: "
        self.stdout.write(f"{prefix}{told or 'no rows'}.")
        for row in refused[:MAX_REFUSALS_SHOWN]:
            self.stdout.write(f"  row {row.number}: {row.detail}")
        if (more := len(refused) - MAX_REFUSALS_SHOWN) > 0:
            self.stdout.write(f"  and {more} more; --json lists them all.")

    def _fail(self, exc: Exception, *, as_json: bool) -> NoReturn:
        detail = exc.detail if isinstance(exc, MeetingRoomsError) else str(exc)
        code = exc.code if isinstance(exc, MeetingRoomsError) else BookingErrorCode.UNREADABLE_FILE
        if as_json:
            self.stdout.write(json.dumps({"error": {"code": code, "detail": detail}}))
        raise CommandError(f"{detail} Nothing was stored.", returncode=EXIT_UNREADABLE)


def _read(options: dict[str, Any], building: Building) -> ParsedTable:
    path: Path = options["file"]
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise LimitExceededError(
            f"{path} is larger than {MAX_TABLE_BYTES:,} bytes.",
            code=BookingErrorCode.FILE_TOO_LARGE,
        )
    return parse_table(
        path.read_bytes(),
        preset=Preset(options["preset"]),
        building=building.slug,
        zone=ZoneInfo(building.timezone),
        date_format=options["date_format"],
    )


def _import(table: ParsedTable, building: Building, options: dict[str, Any]) -> TableReport:
    find_room = known_rooms(building.slug)
    if options["create_rooms"]:
        find_room = rooms_made_as_needed(building.slug, timezone=building.timezone, is_public=False)
    actor = Actor(ActorKind.IMPORT, options["file"].name[:100])
    with tqdm(total=len(table.rows), unit="row", disable=options["json"] or None) as bar:
        how = HowToImport(actor=actor, dry_run=options["dry_run"], progress=bar.update)
        return import_table(table, find_room, how, partial=options["partial"])
