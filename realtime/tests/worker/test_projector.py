"""The projector with PostgreSQL and MongoDB."""

import asyncio
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async
from django.db import connection, transaction
from structlog.testing import capture_logs

from booking.models import AuditEntry
from booking.tests.factories import NOW, at, book, hours
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, FixedClock
from meeting_rooms.kernel.errors import InvalidCommandError, NotFoundError
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.tests.stack import PATIENCE_S
from realtime.state.live_state import RoomStatus, SensorHealth
from realtime.store.live_store import LiveStore, Reading
from realtime.store.mongo_link import CODEC
from realtime.tests.factories import too_late
from realtime.threads import in_thread
from realtime.worker.projector import Projector
from realtime.worker.record_occupancy import OccupancySink
from realtime.worker.worker import Worker
from rooms.models import Room
from rooms.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
make_room = database_sync_to_async(factories.room)
make_booking = database_sync_to_async(book)


async def test_project__new_room__is_version_1_and_read_back_equal(store, projector, published):
    room = await make_room()
    state = await projector.project(room.uuid)
    assert (state.version, state.status) == (1, RoomStatus.FREE)
    assert await store.get(state.id) == state
    assert published.states == [state]


async def test_project__twice__changes_nothing(projector, published):
    room = await make_room()
    first = await projector.project(room.uuid)
    assert await projector.project(room.uuid) == first
    assert len(published.states) == 1


async def test_project__new_booking__is_the_next_version(projector):
    room = await make_room()
    first = await projector.project(room.uuid)
    facts = await make_booking(room, hours(11, 12), title="Retro")
    state = await projector.project(room.uuid)
    assert (state.mark, state.until) == ((first.epoch, 2), at(11))
    assert (state.schedule.version, state.schedule.next.booking) == (2, str(facts.id))


async def test_project__many_calls_at_once__versions_stay_contiguous(projector, published):
    room = await make_room()
    await projector.project(room.uuid)
    for hour in range(11, 16):
        await make_booking(room, hours(hour, hour + 1))
        await asyncio.gather(*(projector.project(room.uuid) for _ in range(4)))
    assert sorted(s.version for s in published.states) == [1, 2, 3, 4, 5, 6]


async def test_project__time_passes__changes_without_any_write(projector, clock):
    room = await make_room()
    await make_booking(room, hours(11, 12))
    assert (await projector.project(room.uuid)).next_change_at == too_late(11)
    clock.advance(too_late(11) - clock.now())
    closed = await projector.project(room.uuid)
    assert (closed.status, closed.next_change_at) == (RoomStatus.CLOSED, at(11))
    clock.advance(at(11) - clock.now())
    assert (await projector.project(room.uuid)).status is RoomStatus.RESERVED


async def test_project__stale_schedule__never_overwrites_a_later_one(store, projector):
    room = await make_room()
    state = await projector.project(room.uuid)
    later = replace(state, version=2, schedule=replace(state.schedule, version=99))
    assert await store.replace(later, expected=state.mark)
    with pytest.raises(Exception, match="too fast"):
        await projector.project(room.uuid)
    assert await store.get(state.id) == later


async def test_get__unreadable_state__is_rebuilt_with_a_new_epoch(store, projector):
    room = await make_room()
    first = await projector.project(room.uuid)
    await store._rooms.update_one({"_id": first.id}, {"$set": {"status": "from_the_future"}})
    assert await store.states_of([first.id]) == []
    assert (await projector.project(room.uuid)).epoch != first.epoch


WAITING_FOR_A_LOCK = """
    SELECT pid, query_start FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@database_sync_to_async
def lock_wait() -> tuple | None:
    """Return the statement that waits for a lock now: its process and its start."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING_FOR_A_LOCK)
        return cursor.fetchone()


async def renewed_at(store: LiveStore) -> datetime | None:
    lease = await store._leases.find_one({})
    return lease and lease["renewed_at"]


async def is_renewed_within_one_lock_wait(store: LiveStore) -> bool:
    """Return whether the lease was renewed while one statement waited for the lock."""
    waiting, before = await lock_wait(), await renewed_at(store)
    while waiting and await lock_wait() == waiting:
        after = await renewed_at(store)
        if after != before and await lock_wait() == waiting:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_worker__one_room_locked__the_others_change_in_time(store, published):
    """While one room waits for its lock, other rooms change and the lease is renewed."""
    await store._leases.delete_many({})  # left by the worker of an earlier test
    held, other = await make_room(), await make_room()
    now = SYSTEM_CLOCK.now()
    for room in (held, other):  # both are past their grace
        past = Interval(now - timedelta(minutes=50), now + timedelta(minutes=50))
        await make_booking(room, past, clock=FixedClock(now - timedelta(hours=2)))
    is_locked, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Room.objects.select_for_update().get(pk=held.pk)
            is_locked.set()
            may_go.wait(PATIENCE_S)

    async with asyncio.timeout(PATIENCE_S):
        holding = asyncio.ensure_future(in_thread(hold))
        await asyncio.to_thread(is_locked.wait, PATIENCE_S)
        projector = Projector(store, published, SYSTEM_CLOCK)
        worker = asyncio.ensure_future(Worker(store, projector, SYSTEM_CLOCK).run())
        released = AuditEntry.objects.filter(command="release_no_show", room_id=other.pk)
        try:
            await _until(released.aexists)
            while {s.id for s in published.states} < {str(held.uuid), str(other.uuid)}:
                await asyncio.sleep(0.02)
            await _until(partial(is_renewed_within_one_lock_wait, store))
            assert not holding.done()
        finally:
            may_go.set()
        await holding
        await _until(AuditEntry.objects.filter(room_id=held.pk, actor_name="system").aexists)
    worker.cancel()
    assert {s.status for s in published.states} == {RoomStatus.FREE}, "also the one that is locked"


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(hours=-1)])
async def test_worker__clock_off_by_an_hour__decides_nothing_and_renews_no_lease(
    store, published, off
):
    await store._leases.delete_many({})
    room = await make_room()
    now = SYSTEM_CLOCK.now()
    soon = Interval(now + timedelta(minutes=40), now + timedelta(minutes=70))
    await make_booking(room, soon, clock=SYSTEM_CLOCK)
    wrong = FixedClock(now + off)
    projector = Projector(store, published, wrong)
    with capture_logs() as log_entries:
        worker = asyncio.ensure_future(Worker(store, projector, wrong).run())
        async with asyncio.timeout(PATIENCE_S):
            # two sweeps
            while sum(log_entry["event"] == "worker_clock_off" for log_entry in log_entries) < 2:
                await asyncio.sleep(0.02)
        worker.cancel()
    assert await store.lease_age_s() is None
    assert await store.get(str(room.uuid)) is None
    assert not await AuditEntry.objects.filter(command="release_no_show").aexists()


async def test_replace__another_write_was_first__loses_the_race(store, projector):
    room = await make_room()
    state = await projector.project(room.uuid)
    assert await store.replace(replace(state, version=2), expected=state.mark)
    assert not await store.replace(replace(state, version=2), expected=state.mark)


async def test_project__unknown_or_inactive_room__is_none(projector):
    room = await make_room()
    room.is_active = False
    await database_sync_to_async(room.save)()
    assert await projector.project(room.uuid) is None


async def test_reading__people_counted__checks_the_booking_in(store, projector, clock):
    room = await make_room()
    await make_booking(room, hours(11, 12))
    clock.advance(timedelta(minutes=61))
    sink = OccupancySink(store, projector, clock)
    state = await sink.record(Reading(room.uuid, 4, None, "door", clock.now()))
    entry = await AuditEntry.objects.aget(command="check_in")
    assert (state.status, entry.actor_kind) == (RoomStatus.OCCUPIED, "sensor")


async def test_reading__late_or_repeated__changes_nothing(store, projector, clock):
    room = await make_room()
    sink = OccupancySink(store, projector, clock)
    newest = await sink.record(Reading(room.uuid, 4, None, "door", NOW))
    for count, age in ((9, 30), (4, 0)):
        late = Reading(room.uuid, count, None, "door", NOW - timedelta(seconds=age))
        assert await sink.record(late) == newest
    assert newest.occupancy.sensor is SensorHealth.OK


@pytest.mark.parametrize("count,ahead_s", [(-1, 0), (10_001, 0), (None, 0), (1, 60)])
async def test_reading__impossible__is_refused(store, projector, clock, count, ahead_s):
    room = await make_room()
    reading = Reading(room.uuid, count, None, "door", NOW + timedelta(seconds=ahead_s))
    with pytest.raises(InvalidCommandError):
        await OccupancySink(store, projector, clock).record(reading)


async def test_reading__unknown_room__is_not_found(store, projector, clock):
    gone = await make_room()
    await database_sync_to_async(gone.delete)()
    with pytest.raises(NotFoundError):
        await OccupancySink(store, projector, clock).record(Reading(gone.uuid, 1, None, "d", NOW))


async def store_time(store: LiveStore) -> datetime:
    return (await store._client.admin.command("hello", codec_options=CODEC))["localTime"]


async def test_lease__renewed__is_young_by_the_clock_of_the_store(store):
    before = await store_time(store)
    await store.renew_lease()
    age_s = await store.lease_age_s()
    assert 0 <= age_s <= (await store_time(store) - before).total_seconds()


async def test_worker__any_path__updates_every_room_and_deletes_removed_rooms(store, published):
    room, gone = await make_room(), await make_room()
    now = SYSTEM_CLOCK.now()
    overdue = Interval(now - timedelta(minutes=50), now + timedelta(minutes=50))
    projector = Projector(store, published, SYSTEM_CLOCK)
    worker = asyncio.ensure_future(Worker(store, projector, SYSTEM_CLOCK).run())
    async with asyncio.timeout(PATIENCE_S):
        await _until(lambda: store.get(str(room.uuid)))
        await _until(lambda: store.get(str(gone.uuid)))
        await make_booking(room, overdue, clock=FixedClock(now - timedelta(hours=2)))
        await _until(lambda: AuditEntry.objects.filter(command="release_no_show").aexists())
        schedule_version = (await Room.objects.aget(pk=room.pk)).schedule_version
        await _until(lambda: _has_read(store, room, schedule_version))
        await database_sync_to_async(gone.delete)()
        while await store.get(str(gone.uuid)):
            await asyncio.sleep(0.05)
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker


async def _has_read(store: LiveStore, room, version: int) -> bool:
    return (await store.get(str(room.uuid))).schedule.version >= version


async def _until(ask) -> None:
    while not await ask():
        await asyncio.sleep(0.02)


async def test_rebuild__existing_state__has_a_new_epoch_and_the_newest_reading(
    projector, store, published, clock
):
    sink = OccupancySink(store, projector, clock)
    dogger = await make_room("Dogger")
    await make_booking(dogger, hours(10, 12))
    await sink.record(Reading(dogger.uuid, 3, None, "s", at(9, 30)))
    before = await store.get(str(dogger.uuid))
    after = await projector.rebuild(dogger.uuid)
    assert after.epoch != before.epoch
    assert replace(after, epoch="", version=0) == replace(before, epoch="", version=0)
    assert after == await store.get(str(dogger.uuid)) == published.states[-1]


async def test_rebuild__no_state__creates_one(projector, store):
    dogger = await make_room("Dogger")
    assert (await projector.rebuild(dogger.uuid)).version == 1
    assert await projector.rebuild(uuid4()) is None
