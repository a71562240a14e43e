"""`manage.py import_calendar FILE.ics|ADDRESS`: import bookings from a calendar."""

import json
import sys
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from datetime import time as wall_time
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.fetch_url import fetch_calendar
from booking.exchange.ical.events import MAX_FILE_BYTES, ParsedCalendar
from booking.exchange.ical.read_calendar import parse_calendar
from booking.exchange.ical.recurring_events import with_single_events
from booking.exchange.import_files import (
    FUTURE_OF_SERIES,
    HowToImport,
    counted,
    dates_around,
    import_calendar,
    known_rooms,
    rooms_made_as_needed,
)
from booking.exchange.import_run import ImportReport, zone_named, zone_of_most, zone_of_rooms
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.errors import (
    InvalidCommandError,
    LimitExceededError,
    MeetingRoomsError,
)

EXIT_SOME_REFUSED = 1  # exit code
EXIT_UNREADABLE = 2  # exit code
MAX_REFUSALS_SHOWN = 20  # as text; --json lists all
ADDRESS_STARTS = ("http://", "https://", "webcal://")


class Command(BaseCommand):
    """Imports the events of a calendar."""

    help = (
        "Import a calendar from an iCalendar file or an address. Events are recognised by UID, so "
        "a second run changes nothing and a changed event moves its booking. Each date of a "
        "recurring event, from a year ago to two years ahead, becomes a booking. Each refused "
        "event is reported with its reason. "
        "Exit codes: 0 all events imported, 1 some events refused, 2 the file cannot be used."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the source and the options."""
        parser.add_argument(
            "source",
            help="The .ics file, or an https:// address of a public host (maximum: 10 MB).",
        )
        parser.add_argument(
            "--building",
            help="Slug of the building of all rooms. By default rooms are found by name in "
            "all buildings, and a new room is placed by its name: 'UB2.252A' is building UB, "
            "floor 2.",
        )
        parser.add_argument(
            "--room", default="", help="Name of the room for events without LOCATION."
        )
        parser.add_argument(
            "--create-rooms", action="store_true", help="Create missing rooms and buildings."
        )
        parser.add_argument(
            "--private-boards",
            action="store_true",
            help="Require sign-in for boards of new buildings. The default is public.",
        )
        parser.add_argument(
            "--timezone", help="IANA zone of new buildings, and of times that have no zone."
        )
        parser.add_argument(
            "--replay-on",
            metavar="DATE",
            help="Shift all events so that the first day is this date (YYYY-MM-DD or 'today').",
        )
        parser.add_argument("--dry-run", action="store_true", help="Report, but store nothing.")
        parser.add_argument("--json", action="store_true", help="Print the report as JSON.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Parse and import the calendar, print the report, and exit with a code of the help."""
        try:
            calendar, zone = _read(options)
        except (MeetingRoomsError, OSError) as exc:
            self._fail(exc, as_json=options["json"])
        report = self._import(calendar, zone, options)
        self._print(report, calendar, options)
        if report.refused:
            sys.exit(EXIT_SOME_REFUSED)

    def _import(self, calendar: ParsedCalendar, zone: str, options: dict[str, Any]) -> ImportReport:
        find_room = known_rooms(options["building"])
        if options["create_rooms"]:
            find_room = rooms_made_as_needed(
                options["building"], timezone=zone, is_public=not options["private_boards"]
            )
        actor = Actor(ActorKind.IMPORT, calendar.name[:100])
        total = len(calendar.events)
        with tqdm(total=total, unit="event", disable=options["json"] or None) as bar:
            how = HowToImport(actor=actor, dry_run=options["dry_run"], progress=bar.update)
            return import_calendar(calendar, find_room, how)

    def _print(
        self, report: ImportReport, calendar: ParsedCalendar, options: dict[str, Any]
    ) -> None:
        counts = counted(report, report.refused)
        if options["json"]:
            document = {
                "calendar": calendar.name,
                "dry_run": options["dry_run"],
                **counts,
                "rooms": len(report.rooms_used),
                "rooms_created": sorted(report.rooms_created),
                "refusals": [asdict(refusal) for refusal in report.refused],
            }
            self.stdout.write(json.dumps(document, indent=2))
            return
        summary = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        prefix = "Dry run, nothing stored. " if options["dry_run"] else ""
        self.stdout.write(f"{prefix}{calendar.name}: {summary or 'no events'}.")
        rooms = f"{len(report.rooms_used)} rooms, {len(report.rooms_created)} of them new"
        self.stdout.write(f"{rooms}; {len(report.refused)} refused.")
        for refusal in report.refused[:MAX_REFUSALS_SHOWN]:
            self.stdout.write(f"  refused {refusal.uid or '(no UID)'}: {refusal.detail}")
        if (more := len(report.refused) - MAX_REFUSALS_SHOWN) > 0:
            self.stdout.write(f"  and {more} more; --json lists them all.")

    def _fail(self, exc: Exception, *, as_json: bool) -> NoReturn:
        detail = exc.detail if isinstance(exc, MeetingRoomsError) else str(exc)
        code = exc.code if isinstance(exc, MeetingRoomsError) else BookingErrorCode.UNREADABLE_FILE
        if as_json:
            self.stdout.write(json.dumps({"error": {"code": code, "detail": detail}}))
        raise CommandError(f"{detail} Nothing was stored.", returncode=EXIT_UNREADABLE)


def _read(options: dict[str, Any]) -> tuple[ParsedCalendar, str]:
    """Return the calendar as single events, shifted by --replay-on, and the zone of new rooms."""
    named = zone_named(options["timezone"]) if options["timezone"] else None
    zone_of = zone_of_rooms(building=options["building"], zone=named)
    calendar = parse_calendar(
        _content(options["source"]), zone_of=zone_of, default_location=options["room"]
    )
    zone = named.key if named else zone_of_most(calendar.starts())
    now = SYSTEM_CLOCK.now()
    first = calendar.first_day
    if not options["replay_on"] or first is None:
        return dates_around(calendar, now), zone
    begin = datetime.combine(first, wall_time(0), UTC)
    calendar = with_single_events(calendar, begin + FUTURE_OF_SERIES)
    by = _day(options["replay_on"], zone) - first
    return replace(calendar, events=tuple(e.shifted(by) for e in calendar.events)), zone


def _content(source: str) -> bytes:
    if source.lower().startswith(ADDRESS_STARTS):
        return fetch_calendar(source)
    path = Path(source)
    if path.stat().st_size > MAX_FILE_BYTES:
        raise LimitExceededError(f"{path} is larger than {MAX_FILE_BYTES:,} bytes. Split the file.")
    return path.read_bytes()


def _day(text: str, zone: str) -> date:
    if text == "today":
        return SYSTEM_CLOCK.now().astimezone(ZoneInfo(zone)).date()
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise InvalidCommandError(
            f"'{text}' is not a date. Write YYYY-MM-DD or 'today'.", code=BookingErrorCode.BAD_DATE
        ) from exc
