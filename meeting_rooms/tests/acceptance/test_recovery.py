"""After a crash or a restart the screens become right again, and none claims a wrong state."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from channels.db import database_sync_to_async

from booking.tests.factories import book
from identity.tests.factories import actor, bearer, person
from meeting_rooms.dev import servers
from meeting_rooms.dev.servers import ServiceName
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.tests.acceptance.test_live_acceptance import NOON_TOMORROW, slot
from meeting_rooms.tests.acceptance.test_two_workers import listeners
from meeting_rooms.tests.stack import PATIENCE_S, LiveClient, Stack
from realtime.protocol import messages
from rooms.tests.factories import room

REDIS_ONLY = [ServiceName.REDIS]
# heartbeats before a change arrives: 10 s by the server's clock
BEATS_MOST = 10 / messages.HEARTBEAT_S
SILENCE_PROVES_S = 6.0  # longer than the interval of heartbeats


def quiet(_line: str) -> None:
    pass


@database_sync_to_async
def prepared():
    return room("Dogger"), actor("Ann"), bearer(person())


@database_sync_to_async
def book_slot(dogger, ann, n: int):
    times = slot(n)
    start, end = (type(NOON_TOMORROW).fromisoformat(times[k]) for k in ("starts_at", "ends_at"))
    return book(dogger, Interval.of(start, end), by=ann, clock=SYSTEM_CLOCK)


async def test_worker__killed_between_commit_and_projection__screen_is_right_after_its_restart(
    stack: Stack,
):
    dogger, ann, headers = await prepared()
    async with asyncio.timeout(PATIENCE_S), stack.socket(additional_headers=headers) as live:
        await live.follow_known(f"room:{dogger.uuid}")
        stack.worker.stop()
        doomed = stack.start_worker(["-m", "meeting_rooms.tests.acceptance.crashing_worker"])
        while not await listeners():  # an earlier kill would prove less
            await asyncio.sleep(0.05)
        await book_slot(dogger, ann, 0)
        assert await asyncio.to_thread(doomed.wait, PATIENCE_S) == -9
        while True:  # no heartbeats are sent while no projector works
            try:
                async with asyncio.timeout(SILENCE_PROVES_S):
                    frame = await live.receive()
            except TimeoutError:
                break
            assert frame["type"] == "heartbeat"
        assert live.rooms[str(dogger.uuid)]["schedule"]["next"] is None
        returned = time.monotonic()
        stack.start_worker()
        frame = await live.next("room")
        took = time.monotonic() - returned
    assert frame["room"]["schedule"]["next"]["start"][:19] == slot(0)["starts_at"][:19]
    print(f"right {took:.1f} s after the worker was started again (start-up included)")


@pytest.fixture
def redis_folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "redis"
    yield folder
    servers.stop(folder, report=quiet)


def start_redis(folder: Path) -> str:
    started = servers.start(folder, wanted=REDIS_ONLY, owner_pid=os.getpid(), report=quiet)
    return started.urls[ServiceName.REDIS]


async def next_version(live: LiveClient) -> tuple[int, int]:
    """Return the version of the next room, and the number of heartbeats before it."""
    beats = 0
    while (frame := await live.receive())["type"] != "room":
        beats += frame["type"] == "heartbeat"
    return frame["room"]["version"], beats


async def test_redis__restarted_under_an_open_socket__is_right_within_ten_seconds(
    transactional_db, tmp_path: Path, redis_folder: Path
):
    stack = Stack(tmp_path, {"REDIS_URL": start_redis(redis_folder)})
    try:
        stack.start()
        dogger, ann, headers = await prepared()
        async with asyncio.timeout(PATIENCE_S), stack.socket(additional_headers=headers) as live:
            await live.follow_known(f"room:{dogger.uuid}")
            servers.stop(redis_folder, report=quiet)
            await book_slot(dogger, ann, 0)
            version, beats_without_redis = await next_version(live)
            start_redis(redis_folder)
            await asyncio.sleep(3)
            await book_slot(dogger, ann, 1)
            again, beats_with_redis = await next_version(live)
            assert again == version + 1
    finally:
        stack.stop()
    assert max(beats_without_redis, beats_with_redis) <= BEATS_MOST
