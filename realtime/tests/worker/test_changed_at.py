"""`changed_at`, the instant of a state's change, and the measurements that start from it."""

from datetime import timedelta

import pytest
from channels.db import database_sync_to_async

from booking.tests.factories import NOW, book, hours
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, FixedClock
from realtime.metrics import REGISTRY
from realtime.store.live_store import Reading
from realtime.tests.factories import too_late
from realtime.worker.projector import Projector
from realtime.worker.record_occupancy import OccupancySink
from realtime.worker.worker import Worker
from rooms.models import Room
from rooms.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
make_room = database_sync_to_async(factories.room)
make_booking = database_sync_to_async(book)


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"meeting_rooms_{name}", labels) or 0.0


def milliseconds(instant):
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


async def test_changed_at__schedule_change__is_the_instant_of_the_commit(projector):
    room = await make_room()
    await projector.project(room.uuid)
    before = SYSTEM_CLOCK.now()
    await make_booking(room, hours(11, 12))
    state = await projector.project(room.uuid)
    await database_sync_to_async(room.refresh_from_db)()
    assert state.changed_at == milliseconds(room.schedule_changed_at)
    assert before - timedelta(seconds=1) < state.changed_at <= SYSTEM_CLOCK.now()


async def test_changed_at__late_projection__is_the_boundary(projector, clock):
    room = await make_room()
    await make_booking(room, hours(11, 12))
    await projector.project(room.uuid)
    clock.advance(timedelta(minutes=61, seconds=7))
    assert (await projector.project(room.uuid)).changed_at == too_late(11)


async def test_changed_at__reading__is_the_instant_of_recording(store, projector, clock):
    room = await make_room()
    await projector.project(room.uuid)
    clock.advance(timedelta(seconds=9))
    reading = Reading(room.uuid, 4, None, "door", NOW)
    state = await OccupancySink(store, projector, clock).record(reading)
    assert state.changed_at == NOW + timedelta(seconds=9)


async def test_changed_at__several_changes_at_once__is_the_oldest(store, projector, clock):
    room = await make_room()
    await make_booking(room, hours(11, 12))
    await projector.project(room.uuid)
    clock.advance(timedelta(minutes=61))
    reading = Reading(room.uuid, 4, None, "door", clock.now())
    state = await OccupancySink(store, projector, clock).record(reading)
    assert state.changed_at == too_late(11)


async def test_changed_at__late_reading_at_a_boundary__is_the_boundary(store, projector, clock):
    room = await make_room()
    sink = OccupancySink(store, projector, clock)
    await sink.record(Reading(room.uuid, 4, None, "door", NOW))
    clock.advance(timedelta(minutes=11))
    state = await sink.record(Reading(room.uuid, 9, None, "door", NOW - timedelta(minutes=1)))
    assert state.changed_at == NOW + timedelta(minutes=10)  # the sensor became silent


async def test_changed_at__unchanged_content__stays_with_the_version(projector, clock, published):
    room = await make_room()
    first = await projector.project(room.uuid)
    clock.advance(timedelta(minutes=3))
    assert await projector.project(room.uuid) == first
    assert published.states == [first]


async def test_timing__of_a_change__starts_at_changed_at(projector, clock):
    room = await make_room()
    await make_booking(room, hours(11, 12))
    await projector.project(room.uuid)
    counted = sample("commit_to_publish_seconds_count"), sample("ticker_lateness_seconds_count")
    summed = sample("commit_to_publish_seconds_sum"), sample("ticker_lateness_seconds_sum")
    clock.advance(too_late(11) + timedelta(seconds=7) - clock.now())
    await projector.project(room.uuid)
    assert sample("commit_to_publish_seconds_count") == counted[0] + 1
    assert sample("commit_to_publish_seconds_sum") == pytest.approx(summed[0] + 7)
    assert sample("ticker_lateness_seconds_count") == counted[1] + 1
    assert sample("ticker_lateness_seconds_sum") == pytest.approx(summed[1] + 7)


async def test_timing__schedule_change_before_the_boundary__is_not_counted_as_late(
    store, published
):
    room = await make_room()
    projector = Projector(store, published, FixedClock(NOW))
    await projector.project(room.uuid)
    before = sample("ticker_lateness_seconds_count")
    await make_booking(room, hours(11, 12))
    await projector.project(room.uuid)
    assert sample("ticker_lateness_seconds_count") == before


async def test_outcomes__of_projections__are_counted(projector):
    room = await make_room()
    outcomes = ("changed", "unchanged", "gone")
    before = {o: sample("projections_total", outcome=o) for o in outcomes}
    await projector.project(room.uuid)
    await projector.project(room.uuid)
    await Room.objects.filter(pk=room.pk).aupdate(is_active=False)
    await projector.project(room.uuid)
    after = {o: sample("projections_total", outcome=o) for o in outcomes}
    assert after == {outcome: count + 1 for outcome, count in before.items()}


async def test_lag__worker_starts_late__reports_the_lag_at_once_and_renews_no_lease(
    store, published
):
    room = await make_room()
    ago = SYSTEM_CLOCK.now() - timedelta(minutes=5)
    await Room.objects.filter(pk=room.pk).aupdate(schedule_changed_at=ago)
    await store._leases.delete_many({})
    projector = Projector(store, published, SYSTEM_CLOCK)
    worker = Worker(store, projector, SYSTEM_CLOCK)
    await worker._sweep()
    assert 300 <= sample("projector_lag_seconds") < 360
    assert await store.lease_age_s() is None
    await projector.project(room.uuid)
    await worker._sweep()
    assert sample("projector_lag_seconds") == 0
    assert await store.lease_age_s() is not None
