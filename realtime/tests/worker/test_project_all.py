"""The worker projects rooms with one common instant together; each succeeds or fails alone."""

from uuid import uuid4

import pytest
from channels.db import database_sync_to_async

from booking.repository import read_schedules
from booking.tests.factories import NOW, at, book, hours
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.interval import Interval
from realtime.state.live_state import RoomStatus
from realtime.worker.projector import Projector
from realtime.worker.worker import Worker
from rooms.models import Building, Closure
from rooms.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
make_booking = database_sync_to_async(book)


@database_sync_to_async
def make_rooms(count: int):
    return [factories.room() for _ in range(count)]


async def test_project_all__booked_free_and_removed_rooms__each_gets_its_own_state(
    projector, published
):
    booked, free = await make_rooms(2)
    await make_booking(booked, hours(10, 11))
    gone = uuid4()
    states = await projector.project_all([booked.uuid, gone, free.uuid])
    assert states.keys() == {booked.uuid, free.uuid}
    assert len(states[booked.uuid].schedule.agenda) == 1
    assert states[free.uuid].schedule.agenda == ()
    assert len(published.states) == 2


async def test_project_all__common_instant__changes_all_rooms(projector, clock, published):
    rooms = await make_rooms(3)
    for room in rooms:
        await make_booking(room, hours(11, 12))
    before = await projector.project_all([room.uuid for room in rooms])
    clock.advance(at(11) - clock.now())
    after = await projector.project_all([room.uuid for room in rooms])
    assert {state.status for state in after.values()} == {RoomStatus.RESERVED}
    assert {s.version for s in after.values()} == {s.version + 1 for s in before.values()}


async def test_worker__one_room_fails__the_others_are_projected(store, published):
    bad, good = await make_rooms(2)
    await Building.objects.filter(pk=bad.floor.building_id).aupdate(timezone="No/Where")
    worker = Worker(store, Projector(store, published, SYSTEM_CLOCK), SYSTEM_CLOCK)
    worker._on_time.set()
    for room in (bad, good):
        worker._dirty.add(room.uuid)
    await worker._drain()
    assert await store.get(str(good.uuid)) is not None
    assert await store.get(str(bad.uuid)) is None


def test_read_schedules__many_rooms__need_as_many_queries_as_one_room(django_assert_num_queries):
    rooms = [factories.room() for _ in range(5)]
    for room in rooms:
        book(room, hours(10, 11))
    Closure.objects.create(room=rooms[0], starts_at=at(12), ends_at=at(13), reason="Paint")
    # fills the cache of rules
    read_schedules([r.uuid for r in rooms], Interval(at(9), at(18)), now=NOW)
    # BEGIN, the isolation level, rooms, features, version of the rules, bookings, closures, COMMIT
    with django_assert_num_queries(8):
        found = read_schedules([r.uuid for r in rooms], Interval(at(9), at(18)), now=NOW)
    assert {len(schedule.bookings) for schedule in found.values()} == {1}
    assert [len(found[room.uuid].closures) for room in rooms] == [1, 0, 0, 0, 0]
