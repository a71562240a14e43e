"""`python -m … PER_SECOND`: head counts of random rooms, through the product's own command."""

import asyncio
import os
import random
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_rooms.settings")
django.setup()

from channels.layers import get_channel_layer  # noqa: E402 - the apps are loaded only now

from meeting_rooms.kernel.clock import SYSTEM_CLOCK  # noqa: E402
from realtime.layer.publisher import Publisher  # noqa: E402
from realtime.store.live_store import LiveStore, Reading  # noqa: E402
from realtime.worker.process import run_until_signal  # noqa: E402
from realtime.worker.projector import Projector  # noqa: E402
from realtime.worker.record_occupancy import OccupancySink  # noqa: E402
from rooms.models import Room  # noqa: E402

PEOPLE_MOST = 8


def main(per_second: str) -> None:
    rooms = list(Room.objects.values_list("uuid", flat=True))
    chance = random.Random(36)

    async def count(store: LiveStore) -> None:
        projector = Projector(store, Publisher(get_channel_layer()), SYSTEM_CLOCK)
        sink = OccupancySink(store, projector, SYSTEM_CLOCK)
        while True:
            people = chance.randrange(PEOPLE_MOST)
            at = SYSTEM_CLOCK.now()
            await sink.record(Reading(chance.choice(rooms), people, None, "faults", at))
            await asyncio.sleep(1 / float(per_second))

    run_until_signal("sensors", count)


if __name__ == "__main__":
    main(sys.argv[1])
