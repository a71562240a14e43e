"""Two workers side by side: each change is applied once, and one worker is enough."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import connection

from booking.models import AuditEntry
from booking.tests.factories import book
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, FixedClock
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.tests.stack import PATIENCE_S, Process, store_environment
from realtime.layer.layer_link import LayerLink
from realtime.state.live_state import LiveState
from realtime.store.live_store import LiveStore, open_store
from rooms.models import Room
from rooms.tests.factories import room as make_room

ROOMS, BOOKINGS = 5, 12
LISTENERS = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND datname = %s"


@pytest.fixture
def workers(transactional_db: None, tmp_path: Path) -> Iterator[list[Process]]:
    running = [
        Process(["manage.py", "worker"], tmp_path / f"worker-{n}.log", store_environment())
        for n in range(2)
    ]
    yield running
    for one in running:
        one.stop()


@database_sync_to_async
def listeners() -> int:
    with connection.cursor() as cursor:
        cursor.execute(LISTENERS, [connection.settings_dict["NAME"]])
        return cursor.fetchone()[0]


@database_sync_to_async
def prepared():
    """Make rooms, and one with a no-show: both workers will find it."""
    no_show_room = make_room("Waited")
    now = SYSTEM_CLOCK.now()
    past = Interval(now - timedelta(minutes=50), now + timedelta(minutes=50))
    book(no_show_room, past, clock=FixedClock(now - timedelta(hours=2)))
    return [make_room(f"Room {n}") for n in range(ROOMS)], no_show_room


@database_sync_to_async
def schedule_versions():
    return dict(Room.objects.values_list("uuid", "schedule_version"))


async def caught_up(store: LiveStore) -> None:
    """Wait until the live states have the schedule versions of Postgres."""
    while await store.schedule_versions() != await schedule_versions():
        await asyncio.sleep(0.02)


@database_sync_to_async
def released(room) -> int:
    return AuditEntry.objects.filter(command="release_no_show", room_id=room.pk).count()


@database_sync_to_async
def book_hour(room, n: int):
    start = SYSTEM_CLOCK.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=20 + n)
    return book(room, Interval(start, start + timedelta(hours=1)), clock=SYSTEM_CLOCK)


async def test_two_workers__one_killed_halfway__each_change_is_applied_once(workers):
    rooms, no_show_room = await prepared()
    received: dict[str, list[int]] = {}

    def receive(state: LiveState, _published_at: float) -> None:
        received.setdefault(state.id, []).append(state.version)

    layer, store = get_channel_layer(), open_store()
    link = LayerLink(layer, on_change=receive, on_return=lambda: None)
    tasks = [asyncio.ensure_future(run()) for run in (link.listen, link.probe)]
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (
                link.is_deaf or await listeners() < len(workers) or not await released(no_show_room)
            ):
                await asyncio.sleep(0.05)
            await caught_up(store)
            first = {one.uuid: (await store.get(str(one.uuid))).version for one in rooms}
            for n in range(BOOKINGS):
                if n == BOOKINGS // 2:
                    workers[0].kill()
                await asyncio.gather(*(book_hour(one, n) for one in rooms))
                await caught_up(store)
            last = {one.uuid: (await store.get(str(one.uuid))).version for one in rooms}
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await layer.flush()
        await store.close()
    assert last == {uuid: version + BOOKINGS for uuid, version in first.items()}
    assert all(versions == sorted(set(versions)) for versions in received.values())
    assert await released(no_show_room) == 1
    assert workers[1].is_alive
