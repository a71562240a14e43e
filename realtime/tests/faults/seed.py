"""`python -m … ROOMS`: make a building with rooms, a person and a token, and project the rooms.

Prints one JSON document: `{building, rooms: [uuid], token}`.
"""

import asyncio
import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_rooms.settings")
django.setup()

from channels.layers import get_channel_layer  # noqa: E402 - the apps are loaded only now

from identity.commands.issue_api_token import issue_api_token  # noqa: E402
from identity.models import User  # noqa: E402
from meeting_rooms.kernel.clock import SYSTEM_CLOCK  # noqa: E402
from realtime.layer.publisher import Publisher  # noqa: E402
from realtime.store.live_store import open_store  # noqa: E402
from realtime.worker.projector import Projector  # noqa: E402
from rooms.models import Building, Floor, Room  # noqa: E402


async def _project(rooms: list[Room]) -> None:
    store = open_store()
    try:
        await store.prepare()
        projector = Projector(store, Publisher(get_channel_layer()), SYSTEM_CLOCK)
        for room in rooms:
            await projector.project(room.uuid)
    finally:
        await store.close()


def main(count: str) -> None:
    house = Building.objects.create(
        slug="house", name="House", timezone="UTC", is_board_public=True, shows_titles=False
    )
    floor = Floor.objects.create(building=house, slug="ground", name="Ground", level=0)
    rooms = [
        Room.objects.create(floor=floor, slug=f"room-{n}", name=f"Room {n}", capacity=8)
        for n in range(int(count))
    ]
    ann = User.objects.create_user("ann@example.org", None, display_name="Ann", role="staff")
    token = issue_api_token(user=ann, name="faults").secret
    asyncio.run(_project(rooms))
    made = {"building": house.slug, "rooms": [str(r.uuid) for r in rooms], "token": token}
    sys.stdout.write(json.dumps(made) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
