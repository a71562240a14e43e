"""The live protocol on every way out: direct send, plain ASGI send, and another ASGI server."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from websockets.exceptions import ConnectionClosed

from booking.tests.factories import book
from identity.tests.factories import actor, bearer, person
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.tests.stack import LiveClient, Stack
from realtime.layer.publisher import Publisher
from realtime.protocol import messages
from realtime.store.live_store import LiveStore, open_store
from rooms.tests.factories import floor, room

LIMITS = {
    "MAX_CONNECTIONS": "40",
    "MAX_CONNECTIONS_PER_PERSON": "5",
    "SOCKET_STUCK_S": "8",
    "SOCKET_MAX_AGE_S": "86400",
}
SMALL = 4096  # bytes that the kernel keeps for a client that does not read


@pytest.fixture(scope="module", params=["direct", "asgi", "uvicorn"])
def server(request, django_db_setup, tmp_path_factory) -> Iterator[Stack]:
    """Run a worker and a web process that sends in one of the three ways."""
    way = {"DIRECT_SEND": "0"} if request.param == "asgi" else {}
    running = Stack(tmp_path_factory.mktemp(request.param), {**LIMITS, **way})
    arguments = None
    if request.param == "uvicorn":
        arguments = ["-m", "uvicorn", "meeting_rooms.asgi:application", "--ws", "websockets-sansio",
                     "--port", str(running.port), "--log-level", "warning"]  # fmt: skip
    try:
        running.start_worker()
        running.start_web(arguments)
        yield running
    finally:
        running.stop()


@pytest.fixture
async def store() -> AsyncIterator[LiveStore]:
    opened = open_store()
    yield opened
    await opened.close()


@database_sync_to_async
def prepared(*names: str):
    return [room(name) for name in names], bearer(person())


@database_sync_to_async
def book_hour(where, n: int = 1):
    start = SYSTEM_CLOCK.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=n)
    when = Interval(start, start + timedelta(hours=1))
    return book(where, when, by=actor("Ann"), clock=SYSTEM_CLOCK)


async def known(live: LiveClient, topic: str, **more) -> dict:
    """Follow a topic as soon as the worker has made it known."""
    while True:
        await live.send(type="subscribe", topic=topic, **more)
        while (frame := await live.receive())["type"] not in ("snapshot", "error"):
            pass
        if frame["type"] == "snapshot" or frame["code"] != "not_found":
            return frame
        await asyncio.sleep(0.1)


async def closed(live: LiveClient) -> tuple[int, list[dict]]:
    """Read to the end; return the close code and the frames before it."""
    frames = []
    try:
        while True:
            frames.append(await live.receive())
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd else 1006, frames


async def test_follow__booking_made__comes_as_one_frame(transactional_db, server: Stack):
    (dogger,), headers = await prepared("Dogger")
    async with asyncio.timeout(20), server.socket(additional_headers=headers) as live:
        snapshot = await known(live, f"room:{dogger.uuid}")
        assert snapshot["full"]
        await book_hour(dogger)
        frame = await live.next("room")
        assert frame["topic"] == f"room:{dogger.uuid}"
        assert frame["room"]["version"] == snapshot["rooms"][0]["version"] + 1
        beat = await live.next("heartbeat")
        assert beat["digest"].keys() == {f"room:{dogger.uuid}"}


async def test_resume__with_have__gets_what_was_missed_only(transactional_db, server: Stack):
    (dogger, humber), headers = await prepared("Dogger", "Humber")
    async with asyncio.timeout(20), server.socket(additional_headers=headers) as live:
        ours = {str(dogger.uuid), str(humber.uuid)}
        while not ours <= live.rooms.keys():
            await known(live, "campus")
            await asyncio.sleep(0.2)
        have = {r: [live.rooms[r]["epoch"], live.rooms[r]["version"]] for r in ours}
    await book_hour(dogger)
    async with asyncio.timeout(20), server.socket(additional_headers=headers) as live:
        while str(dogger.uuid) not in live.rooms:
            snapshot = await known(live, "campus", have=have)
            await asyncio.sleep(0.2)
        assert str(humber.uuid) not in live.rooms
        assert not snapshot["full"]


async def test_board_view__rows_and_summary(transactional_db, server: Stack):
    (dogger,), headers = await prepared("Dogger")
    building = await database_sync_to_async(lambda: dogger.floor.building.slug)()
    async with asyncio.timeout(20), server.socket(additional_headers=headers) as live:
        snapshot = await known(live, f"building:{building}", view="board")
        assert 'id="board-count"' in snapshot["summary"]
        await book_hour(dogger)
        frame = await live.next("room")
        assert f'id="room-{dogger.uuid}"' in frame["room"]["html"]
        assert 'id="board-soon"' in (await live.next("summary"))["html"]


async def test_frames__asked_for__are_answered(transactional_db, server: Stack):
    async with asyncio.timeout(20), server.socket() as live:
        await live.send(type="ping", t=7)
        assert (await live.next("pong"))["t"] == 7
        await live.send(type="unsubscribe", topic="campus")
        assert (await live.next("unsubscribed"))["topic"] == "campus"
        await live.send(type="seen", display="lobby-1", lags_ms=[12, 40])
        await live.send(type="ack", n=99)
        await live.send(type="ping", t=8)
        assert (await live.next("pong"))["t"] == 8


async def test_bad_frames__a_few__are_answered_and_then_closed_with_4400(
    transactional_db, server: Stack
):
    async with asyncio.timeout(20), server.socket() as live:
        for _ in range(messages.MAX_BAD_FRAMES_PER_MINUTE + 1):
            await live.raw.send("{")
        code, frames = await closed(live)
    assert code == 4400
    assert [f["code"] for f in frames] == ["bad_frame"] * 6


async def test_frames__too_many__are_closed_with_4429(transactional_db, server: Stack):
    async with asyncio.timeout(20), server.socket() as live:
        for n in range(messages.MAX_FRAMES_PER_MINUTE + 1):
            await live.send(type="ping", t=n)
        code, frames = await closed(live)
    assert code == 4429
    assert frames[-1]["code"] == "too_many_frames"


async def test_public__foreign_topic__is_closed_with_4401(transactional_db, server: Stack):
    async with asyncio.timeout(20), server.socket() as live:
        await live.send(type="subscribe", topic=f"room:{uuid4()}")
        assert (await closed(live))[0] == 4401


async def test_connections__of_one_token__are_limited(transactional_db, server: Stack):
    _, headers = await prepared()
    async with asyncio.timeout(20):
        held = [server.socket(additional_headers=headers) for _ in range(5)]
        for one in held:
            await one.__aenter__()
        with pytest.raises(ConnectionClosed) as end:
            async with server.socket(additional_headers=headers):
                pass
        assert end.value.rcvd.code == 4429
        await held.pop().__aexit__(None, None, None)
        async with server.socket(additional_headers=headers) as live:
            await live.send(type="ping", t=1)
            assert (await live.next("pong"))["t"] == 1
        for one in held:
            await one.__aexit__(None, None, None)


async def change_often(store: LiveStore, room_id: UUID, times: int) -> int:
    """Give a room that many versions through the layer; return the last."""
    publisher = Publisher(get_channel_layer())
    state = await store.get(str(room_id))
    for n in range(times):
        fresh = replace(state, version=state.version + 1, name="x" * 1000 + str(n))
        assert await store.replace(fresh, expected=state.mark)
        await publisher.publish(fresh)
        state = fresh
        await asyncio.sleep(0)
    return state.version


async def test_slow_client__skips_to_the_newest_and_never_back(
    transactional_db, server: Stack, store
):
    (dogger,), headers = await prepared("Dogger")
    slow = server.socket(additional_headers=headers, max_queue=1)
    quick = server.socket(additional_headers=headers)
    async with asyncio.timeout(40), slow as behind, quick as ahead:
        behind.raw.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL
        )
        await known(behind, f"room:{dogger.uuid}")
        await known(ahead, f"room:{dogger.uuid}")
        behind.raw.transport.pause_reading()
        last = await change_often(store, dogger.uuid, 600)
        while (await ahead.next("room"))["room"]["version"] != last:
            pass
        behind.raw.transport.resume_reading()
        versions = []
        while not versions or versions[-1] != last:
            versions.append((await behind.next("room"))["room"]["version"])
    assert versions == sorted(set(versions))
    assert len(versions) < 590, "some were skipped"


async def test_dead_client__is_closed_and_the_others_do_not_notice(
    transactional_db, server: Stack, store
):
    (dogger,), headers = await prepared("Dogger")
    dead = server.socket(additional_headers=headers, max_queue=1, close_timeout=1)
    quick = server.socket(additional_headers=headers)
    async with asyncio.timeout(40), dead as never, quick as ahead:
        never.raw.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL
        )
        await known(never, f"room:{dogger.uuid}")
        await known(ahead, f"room:{dogger.uuid}")
        never.raw.transport.pause_reading()
        last = await change_often(store, dogger.uuid, 1200)
        while (await ahead.next("room"))["room"]["version"] != last:
            pass
        while "socket_too_slow" not in server.web.output:
            await asyncio.sleep(0.2)
        never.raw.transport.resume_reading()
        code, frames = await closed(never)
    assert code in (4408, 1006)
    assert len(frames) < 1200


async def test_token__revoked__closes_with_4401(transactional_db, server: Stack):
    _, headers = await prepared()
    async with asyncio.timeout(20), server.socket(additional_headers=headers) as live:
        await _revoke_all()
        code, frames = await closed(live)
    assert code == 4401
    assert frames[-1]["code"] == "signed_out"


@database_sync_to_async
def _revoke_all() -> None:
    from identity.models import ApiToken

    ApiToken.objects.update(revoked_at=SYSTEM_CLOCK.now())


async def test_hello__first__names_build_and_heartbeat(transactional_db, server: Stack):
    async with asyncio.timeout(20), server.raw_socket() as raw:
        frame = json.loads(await raw.recv())
    assert frame["type"] == "hello"
    assert frame["build"]
    assert frame["heartbeat_s"] == messages.HEARTBEAT_S


@database_sync_to_async
def _many_rooms(count: int):
    where = floor()
    for n in range(count):
        room(f"Room {n}", on=where)
    return where.slug, bearer(person())


async def test_snapshot__larger_than_a_client_may_send__arrives(transactional_db, server: Stack):
    slug, headers = await _many_rooms(150)
    async with (
        asyncio.timeout(40),
        server.socket(additional_headers=headers, max_size=None) as live,
    ):
        while len((await known(live, f"floor:{slug}"))["rooms"]) < 150:
            await asyncio.sleep(0.5)
        await live.next("heartbeat")
