"""`manage.py worker`: keep live states true until told to stop."""

from typing import Any

from channels.layers import get_channel_layer
from django.core.management.base import BaseCommand

from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.process import run_until_signal
from realtime.projector import Projector
from realtime.publisher import Publisher
from realtime.store import LiveStore
from realtime.worker import Worker


class Command(BaseCommand):
    """Runs one worker; start as many as you like."""

    help = (
        "Projects bookings into live room state, serves clock boundaries and releases no-shows. "
        "Any number may run. Ends on SIGINT or SIGTERM."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run until a signal comes."""
        run_until_signal("worker", _work)


async def _work(store: LiveStore) -> None:
    projector = Projector(store, Publisher(get_channel_layer()), SYSTEM_CLOCK)
    await Worker(store, projector, SYSTEM_CLOCK).run()
