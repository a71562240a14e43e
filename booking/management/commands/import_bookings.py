"""`manage.py import_bookings FILE.csv --preset … --building …`: import bookings from a table."""

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

EXIT_SOME_REFUSED = 1  # exit code
EXIT_UNREADABLE = 2  # exit code
MAX_REFUSALS_SHOWN = 20  # as text; --json lists all


class Command(BaseCommand):
    """Imports the rows of a table."""

    help = (
        "Import bookings from a table (CSV in UTF-8). By default all rows are imported or none; "
        "with --partial all rows that fit. A row is recognised by its id, or by its times and "
        "title, so a second run changes nothing. A dry run reports, but stores nothing. "
        "Exit codes: 0 all rows imported, 1 some rows refused, 2 the file cannot be used."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the file and the options."""
        parser.add_argument("file", type=Path, help="The .csv file (maximum: 5 MB, 20,000 rows).")
        parser.add_argument(
            "--preset",
            choices=[preset.value for preset in Preset],
            default=Preset.MEETING_ROOMS.value,
            help="The program that wrote the table.",
        )
        parser.add_argument(
            "--building", required=True, help="Slug of the building of all rooms in the table."
        )
        parser.add_argument(
            "--date-format",
            help="Format of the times as in strptime, such as '%%d.%%m.%%Y %%H:%%M'.",
        )
        parser.add_argument("--create-rooms", action="store_true", help="Create missing rooms.")
        parser.add_argument("--partial", action="store_true", help="Import all rows that fit.")
        parser.add_argument("--dry-run", action="store_true", help="Report, but store nothing.")
        parser.add_argument("--json", action="store_true", help="Print the report as JSON.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse and import the table, print the report, and exit with a code of the help."""
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
        summary = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        reason = "dry run" if options["dry_run"] else "rows were refused; see --partial"
        prefix = "" if report.is_stored else f"Nothing stored ({reason}). The rows: "
        self.stdout.write(f"{prefix}{summary or 'no rows'}.")
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
            f"{path} is larger than {MAX_TABLE_BYTES:,} bytes. Split the file.",
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
