"""`manage.py simulate`: simulate people and sensors on the demo campus."""

import random
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from meeting_rooms.dev.demo.simulator import Simulator
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.layer.publisher import Publisher
from realtime.store.live_store import LiveStore
from realtime.worker.process import run_until_signal
from realtime.worker.projector import Projector
from realtime.worker.record_occupancy import OccupancySink


class Command(BaseCommand):
    """Runs the simulator. Refuses to run unless DEMO is on."""

    help = "Simulates people and sensors on the demo campus. Refuses to run unless DEMO is on."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run until SIGINT or SIGTERM. Raises CommandError unless DEMO is on."""
        if not settings.DEMO:
            raise CommandError(
                "The simulator books and cancels, so it runs on demo data only. Set DEMO=1."
            )
        run_until_signal("simulator", _simulate)


async def _simulate(store: LiveStore) -> None:
    projector = Projector(store, Publisher(get_channel_layer()), SYSTEM_CLOCK)
    sink = OccupancySink(store, projector, SYSTEM_CLOCK)
    await Simulator(sink, SYSTEM_CLOCK, random.Random()).run()  # noqa: S311 - a demo, not a secret
