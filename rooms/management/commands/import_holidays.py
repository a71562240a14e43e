"""`manage.py import_holidays --country FI --years 2026-2028 --campus`: add public holidays."""

import json
import re
from argparse import ArgumentTypeError
from datetime import date
from typing import Any

import holidays
from django.core.management.base import BaseCommand, CommandError, CommandParser

from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.errors import MeetingRoomsError
from rooms.policies.holidays import HolidayPlan, add_holidays, plan_holidays
from rooms.policies.store import CAMPUS, building_scope

ACTOR = Actor(ActorKind.IMPORT, "import_holidays", is_admin=True)
MAX_YEARS = 10  # in one run
EXIT_REFUSED = 2


def _years(text: str) -> range:
    if (found := re.fullmatch(r"(\d{4})(?:-(\d{4}))?", text)) is None:
        message = f"'{text}' is neither a year nor a range of years. Write 2026 or 2026-2028."
        raise ArgumentTypeError(message)
    first, last = int(found[1]), int(found[2] or found[1])
    if not first <= last < first + MAX_YEARS:
        message = f"Give 1 to {MAX_YEARS} years, the earlier year first."
        raise ArgumentTypeError(message)
    return range(first, last + 1)


class Command(BaseCommand):
    """Adds public holidays to the policy of the campus or of a building."""

    help = (
        "Closes the campus or a building on the public holidays of a country. A date with an "
        "exception keeps that exception, so a second run changes nothing. Existing bookings stay. "
        "Exit codes: 0 done, 2 refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--country", required=True, help="ISO 3166 code, such as FI.")
        parser.add_argument("--subdivision", help="A state or province, such as BY of DE.")
        parser.add_argument("--years", required=True, type=_years, help="2026, or 2026-2028.")
        parser.add_argument(
            "--language", default="en_US", help="Language of the holiday names, if available."
        )
        scope = parser.add_mutually_exclusive_group(required=True)
        scope.add_argument("--building", help="Slug of the building.")
        scope.add_argument("--campus", action="store_true", help="The campus.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Report the holidays without adding them."
        )
        parser.add_argument("--json", action="store_true", help="Report as one JSON document.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Find the holidays, add the new ones, and report.

        Raises CommandError if the country is unknown or the change is refused.
        """
        found = _public_holidays(options)
        try:
            scope = CAMPUS if options["campus"] else building_scope(options["building"])
            plan = plan_holidays(scope, found)
            if not options["dry_run"]:
                add_holidays(actor=ACTOR, scope=scope, plan=plan)
        except MeetingRoomsError as exc:
            raise CommandError(exc.detail, returncode=EXIT_REFUSED) from exc
        report = _report(scope.key, plan, is_dry_run=options["dry_run"])
        self.stdout.write(json.dumps(report) if options["json"] else _as_text(report))


def _public_holidays(options: dict[str, Any]) -> dict[date, str]:
    country = options["country"].upper()
    try:
        found = holidays.country_holidays(
            country,
            subdiv=options["subdivision"],
            years=options["years"],
            language=options["language"],
        )
    except NotImplementedError as exc:
        raise CommandError(f"{exc}.", returncode=EXIT_REFUSED) from exc
    return dict(found.items())


def _report(scope: str, plan: HolidayPlan, *, is_dry_run: bool) -> dict[str, Any]:
    return {"scope": scope, "dry_run": is_dry_run, "added": _listed(plan.new),
            "known": _listed(plan.known)}  # fmt: skip


def _listed(days: dict[date, str]) -> list[dict[str, str]]:
    return [{"date": day.isoformat(), "reason": name} for day, name in days.items()]


def _as_text(report: dict[str, Any]) -> str:
    verb = "Would add" if report["dry_run"] else "Added"
    added, known = report["added"], report["known"]
    lines = [f"{entry['date']} {entry['reason']}" for entry in added]
    total = f"{verb} {len(added)} holidays to {report['scope']}; {len(known)} dates were known."
    return "\n".join([*lines, total])
