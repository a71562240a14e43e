"""`manage.py rebuild_live_state`: rebuild live states, under new epochs."""

import json
from functools import partial
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from tqdm import tqdm

from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.errors import UnavailableError
from realtime.layer.publisher import Publisher
from realtime.store.live_store import LiveStore
from realtime.threads import in_thread
from realtime.worker.process import run_until_signal
from realtime.worker.projector import Projector
from rooms.queries import schedule_versions


class Command(BaseCommand):
    """Rebuilds live states from Postgres and raw readings; safe to run and repeat at any time."""

    help = (
        "Rebuild the live states of rooms from Postgres and the newest sensor readings. Each state "
        "gets a new epoch, so every client fetches it again. Safe while the server runs. "
        "Exit code 1 if a store did not answer; rooms that were not rebuilt keep their state."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--all", action="store_true", help="Rebuild every room in use.")
        which.add_argument(
            "--room",
            type=UUID,
            action="append",
            help="Rebuild the room with this id. Repeat the option for more rooms.",
        )
        parser.add_argument("--json", action="store_true", help="Print the outcome as JSON.")

    def handle(self, *_args: Any, room: list[UUID] | None, **options: Any) -> None:
        """Rebuild, show progress, print the outcome.

        Raises CommandError if a store does not answer or a room is not in use.
        """
        outcome: dict[str, list[str]] = {"rebuilt": [], "unknown": []}
        try:
            run_until_signal("rebuild", partial(_rebuild, room, outcome, not options["json"]))
        except (UnavailableError, OperationalError, InterfaceError) as exc:
            raise CommandError(f"Rebuilt {len(outcome['rebuilt'])} rooms. {exc}") from exc
        if options["json"]:
            self.stdout.write(json.dumps(outcome))
        else:
            self.stdout.write(f"Rebuilt {len(outcome['rebuilt'])} rooms.")
        if outcome["unknown"]:
            raise CommandError(
                f"No room in use has these ids: {', '.join(outcome['unknown'])}. Check them."
            )


async def _rebuild(
    rooms: list[UUID] | None, outcome: dict[str, list[str]], is_shown: bool, store: LiveStore
) -> None:
    projector = Projector(store, Publisher(get_channel_layer()), SYSTEM_CLOCK)
    wanted = rooms if rooms is not None else list(await in_thread(schedule_versions))
    for room in tqdm(wanted, unit="room", disable=None if is_shown else True):
        state = await projector.rebuild(room)
        outcome["unknown" if state is None else "rebuilt"].append(str(room))
