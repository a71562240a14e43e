"""The demo: realistic, with activity, and through the same entry points as all clients."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from channels.db import database_sync_to_async

from booking.models import AuditEntry, Booking
from identity.models import User
from meeting_rooms.dev.demo.load import load_demo_if_empty
from meeting_rooms.dev.demo.simulator import Simulator, demo_people
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from realtime.layer.publisher import Publisher
from realtime.state.live_state import RoomStatus
from realtime.state.topics import Topic
from realtime.store.live_store import open_store
from realtime.worker.projector import Projector
from realtime.worker.record_occupancy import OccupancySink
from rooms.domain.opening_hours import is_open_throughout
from rooms.models import Building, Room
from rooms.policies.cache import current_room_policies
from rooms.queries import active_rooms, schedule_versions

THURSDAY = datetime(2026, 3, 12, 10, tzinfo=UTC)
COMMANDS = {"book_room", "check_in", "end_booking"}
STEPS_LEAST, STEPS_MOST = 120, 720  # of 20 s: each kind of command may need its time


def quiet(_line: str) -> None:
    pass


@pytest.mark.django_db
def test_demo__empty_database__gets_three_buildings_in_three_zones_and_a_week():
    assert load_demo_if_empty(report=quiet)
    assert Building.objects.values("timezone").distinct().count() == 3
    assert Room.objects.count() == 24
    assert Booking.objects.count() > 500
    assert User.objects.get(email="admin@demo.example").check_password("demo-only-password")
    assert not load_demo_if_empty(report=quiet)


@pytest.mark.django_db
@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_demo__every_hour__two_buildings_are_open_and_bookings_are_inside_the_hours(hour):
    now = datetime(2026, 3, 12, hour, tzinfo=UTC)  # a Thursday
    assert load_demo_if_empty(report=quiet, clock=FixedClock(now))
    rules = current_room_policies([room.uuid for room in active_rooms()])
    open_rooms = [r for r in rules if is_open_throughout(r.policy, r.zone, minute_from(now))]
    assert len(open_rooms) >= 17
    assert (len(open_rooms) < 24) == (2 <= hour < 11)  # 21:00 to 07:00 in New York
    by_id = {room.id: room for room in rules}
    for booking in Booking.objects.all():
        room = by_id[booking.room_id]
        assert is_open_throughout(room.policy, room.zone, booking.interval)


def minute_from(now: datetime) -> Interval:
    return Interval(now, now + timedelta(minutes=1))


async def commands_run() -> set[str]:
    return {c async for c in AuditEntry.objects.values_list("command", flat=True)}


@pytest.mark.django_db(transaction=True)
async def test_simulator__some_steps__people_book_check_in_and_leave():
    clock = FixedClock(THURSDAY)
    await database_sync_to_async(load_demo_if_empty)(report=quiet, clock=clock)
    store = open_store()
    try:
        from channels.layers import get_channel_layer

        projector = Projector(store, Publisher(get_channel_layer()), clock)
        rooms = await database_sync_to_async(schedule_versions)()
        simulator = Simulator(OccupancySink(store, projector, clock), clock, random.Random(1))
        people = await database_sync_to_async(demo_people)()
        for n in range(STEPS_MOST):
            clock.advance(timedelta(seconds=20))
            await simulator.try_step(people)
            if n % 6 == 0:
                await projector.project_all(rooms)
            if n >= STEPS_LEAST and n % 20 == 0 and await commands_run() >= COMMANDS:
                break
        states = Counter(s.status for s in await store.states(Topic("campus")))
        await store.remove(rooms.keys())
    finally:
        await store.close()
    assert await commands_run() >= COMMANDS
    assert states[RoomStatus.FREE] >= 4
    assert states[RoomStatus.OCCUPIED] + states[RoomStatus.ENDING] >= 4
