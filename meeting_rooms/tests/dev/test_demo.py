"""The demo: believable, alive, and through the same doors as everybody."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async

from booking.models import AuditEntry, Booking
from identity.models import User
from meeting_rooms.dev.demo.load import load_demo_if_empty
from meeting_rooms.dev.demo.simulator import Simulator, demo_people
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, FixedClock
from realtime.layer.publisher import Publisher
from realtime.state.live_state import RoomStatus
from realtime.state.topics import Topic
from realtime.store.live_store import open_store
from realtime.worker.projector import Projector
from realtime.worker.record_occupancy import OccupancySink
from rooms.models import Building, Room
from rooms.queries import schedule_versions


def quiet(_line: str) -> None:
    pass


@pytest.mark.django_db
def test_demo__empty_database__is_three_houses_in_three_zones_and_a_week():
    assert load_demo_if_empty(report=quiet)
    assert Building.objects.values("timezone").distinct().count() == 3
    assert Room.objects.count() == 24
    assert Booking.objects.count() > 500
    assert User.objects.get(email="admin@demo.example").check_password("demo-only-password")
    assert not load_demo_if_empty(report=quiet)


@pytest.mark.django_db(transaction=True)
async def test_simulator__some_steps__people_book_come_and_leave():
    clock = FixedClock(SYSTEM_CLOCK.now())
    await database_sync_to_async(load_demo_if_empty)(report=quiet, clock=clock)
    store = open_store()
    try:
        from channels.layers import get_channel_layer

        projector = Projector(store, Publisher(get_channel_layer()), clock)
        rooms = await database_sync_to_async(schedule_versions)()
        simulator = Simulator(OccupancySink(store, projector, clock), clock, random.Random(1))
        people = await database_sync_to_async(demo_people)()
        for n in range(120):
            clock.advance(timedelta(seconds=20))
            await simulator.try_step(people)
            for room in rooms:
                if n % 6 == 0:
                    await projector.project(room)
        states = Counter(s.status for s in await store.states(Topic("campus")))
        await store.remove(rooms.keys())
    finally:
        await store.close()
    commands = {c async for c in AuditEntry.objects.values_list("command", flat=True)}
    assert {"book_room", "check_in", "end_booking"} <= commands
    assert states[RoomStatus.FREE] >= 4
    assert states[RoomStatus.OCCUPIED] + states[RoomStatus.ENDING] >= 4
