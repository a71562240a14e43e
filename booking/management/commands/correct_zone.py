"""`manage.py correct_zone`: correct the time zone of a building, or apply its changed rules."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from booking.commands.correct_timezone import Keep, ZoneReport, correct_timezone, recheck_timezone
from booking.domain.booking_data import BookingData
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.errors import MeetingRoomsError

OPERATOR = Actor(ActorKind.SYSTEM, "operator", is_admin=True)


class Command(BaseCommand):
    """Corrects the time zone of a building and moves its bookings."""

    help = (
        "Correct the time zone of a building. Without --to the zone stays, and each booking moves "
        "to the instant of its local time by the present rules of the zone. Use this after an "
        "update of tzdata. A dry run lists every affected booking."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("building", help="slug of the building")
        parser.add_argument(
            "--to", metavar="ZONE", help="the correct zone, such as Europe/Helsinki"
        )
        parser.add_argument(
            "--keep",
            choices=[keep.value for keep in Keep],
            default=Keep.LOCAL.value,
            help="with --to: keep the local times or the instants of bookings (default: local)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="list the changes, but store nothing"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        """Correct or recheck the zone and print a report."""
        is_dry_run: bool = options["dry_run"]
        try:
            if options["to"]:
                report = correct_timezone(
                    actor=OPERATOR,
                    building=options["building"],
                    timezone=options["to"],
                    keep=Keep(options["keep"]),
                    is_dry_run=is_dry_run,
                )
            else:
                report = recheck_timezone(
                    actor=OPERATOR, building=options["building"], is_dry_run=is_dry_run
                )
        except MeetingRoomsError as exc:
            raise CommandError(exc.detail) from exc
        self.stdout.write(_as_json(report) if options["json"] else _as_text(report, is_dry_run))


def _as_json(report: ZoneReport) -> str:
    document = {
        "changed": [
            {"id": str(after.id), "was": _shown(before), "is": _shown(after)}
            for before, after in report.changed
        ],
        "clashing": [{"id": str(b.id), **_shown(b)} for b in report.clashing],
    }
    return json.dumps(document, indent=2)


def _shown(booking: BookingData) -> dict[str, str]:
    return {
        "starts_at": booking.interval.start.isoformat(),
        "ends_at": booking.interval.end.isoformat(),
        "local_start": booking.local_start,
    }


def _as_text(report: ZoneReport, is_dry_run: bool) -> str:
    would = "would change" if is_dry_run else "changed"
    lines = [
        f"{before.interval.start:%Y-%m-%d %H:%M} UTC ({before.local_start}) -> "
        f"{after.interval.start:%Y-%m-%d %H:%M} UTC ({after.local_start})  {after.id}"
        for before, after in report.changed
    ]
    lines.append(
        f"{len(report.changed)} {would}; {len(report.clashing)} clash and keep their instant."
    )
    return "\n".join(lines)
