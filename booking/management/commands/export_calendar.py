"""`manage.py export_calendar --room NAME|--person ADDRESS`: write bookings as an iCalendar file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from booking.exchange.export_calendar import person_calendar, room_calendar
from booking.transaction.database_clock import DATABASE_CLOCK
from identity.models import User
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.errors import MeetingRoomsError, NotFoundError
from rooms.places.ensure_room import find_room_by_name

EXIT_NOTHING_WRITTEN = 2  # exit code


class Command(BaseCommand):
    """Writes the bookings of one room or one person."""

    help = (
        "Write the bookings of a room or a person, from a month ago on, as an iCalendar file. "
        "Private bookings of a room are 'Busy' unless --include-private is given. "
        "Exit codes: 0 written, 2 nothing written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--room", help="Name of the room.")
        whose.add_argument("--person", help="E-mail address with which the person signs in.")
        parser.add_argument(
            "--building", help="Slug of the building, if several rooms have this name."
        )
        parser.add_argument(
            "--include-private",
            action="store_true",
            help="Write titles and names of private bookings.",
        )
        parser.add_argument("-o", "--output", type=Path, required=True, help="The file to write.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write the file, or nothing after an error, and print the number of entries."""
        try:
            content = _content(options)
            options["output"].write_bytes(content)
        except (MeetingRoomsError, OSError) as exc:
            detail = exc.detail if isinstance(exc, MeetingRoomsError) else str(exc)
            raise CommandError(detail, returncode=EXIT_NOTHING_WRITTEN) from exc
        events = content.count(b"BEGIN:VEVENT")
        self.stderr.write(f"{events:,} entries written to {options['output']}.")


def _content(options: dict[str, Any]) -> bytes:
    now = DATABASE_CLOCK.now()
    if options["person"]:
        user = User.objects.filter(email=options["person"].strip().lower()).first()
        if user is None:
            raise NotFoundError(f"No person has the e-mail address '{options['person']}'.")
        return person_calendar(user, now)
    viewer = Actor(ActorKind.SYSTEM, "export", is_admin=options["include_private"])
    return room_calendar(
        find_room_by_name(options["room"], building=options["building"]), viewer, now
    )
