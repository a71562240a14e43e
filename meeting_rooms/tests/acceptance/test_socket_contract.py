"""The live protocol on each transport: direct send, plain ASGI send, and another ASGI server."""

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
from meeting_rooms.tests.stack import PATIENCE_S, LiveClient, Stack
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
# Length of a changed room's name: a few changes fill the buffers for a client, so a busy machine
# makes enough of them before the client counts as stuck (SOCKET_STUCK_S).
CHANGE_CHARACTERS = 20_000
# uvicorn's own pings would close a client that does not read before our server does
NEVER_S = "86400"
SMALL = 4096  # bytes that the kernel buffers for a client that does not read


@pytest.fixture(scope="module", params=["direct", "asgi", "uvicorn"])
def server(request, django_db_setup, tmp_path_factory) -> Iterator[Stack]:
    """Run a worker and a web process that uses one of the three transports."""
    way = {"DIRECT_SEND": "0"} if request.param == "asgi" else {}
    running = Stack(tmp_path_factory.mktemp(request.param), {**LIMITS, **way})
    arguments = None
    if request.param == "uvicorn":
        arguments = ["-m", "uvicorn", "meeting_rooms.asgi:application", "--ws", "websockets-sansio",
                     "--port", str(running.port), "--log-level", "warning",
                     "--ws-ping-interval", NEVER_S]  # fmt: skip
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
    async with asyncio.timeout(PATIENCE_S), server.socket(additional_headers=headers) as live:
        snapshot = await live.follow_known(f"room:{dogger.uuid}")
        assert snapshot["full"]
        await book_hour(dogger)
        frame = await live.next("room")
        assert frame["topic"] == f"room:{dogger.uuid}"
        assert frame["room"]["version"] == snapshot["rooms"][0]["version"] + 1
        beat = await live.next("heartbeat")
        assert beat["digest"].keys() == {f"room:{dogger.uuid}"}


async def test_resume__with_have__gets_only_missed_changes(transactional_db, server: Stack):
    (dogger, humber), headers = await prepared("Dogger", "Humber")
    async with asyncio.timeout(PATIENCE_S), server.socket(additional_headers=headers) as live:
        await live.follow_known("campus", dogger.uuid, humber.uuid)
        ours = (live.rooms[str(one.uuid)] for one in (dogger, humber))
        have = {room["id"]: [room["epoch"], room["version"]] for room in ours}
    await book_hour(dogger)
    async with asyncio.timeout(PATIENCE_S), server.socket(additional_headers=headers) as live:
        snapshot = await live.follow_known("campus", dogger.uuid, have=have)
        assert str(humber.uuid) not in live.rooms
        assert not snapshot["full"]


async def test_board_view__rows_and_summary(transactional_db, server: Stack):
    (dogger,), headers = await prepared("Dogger")
    building = await database_sync_to_async(lambda: dogger.floor.building.slug)()
    async with asyncio.timeout(PATIENCE_S), server.socket(additional_headers=headers) as live:
        snapshot = await live.follow_known(f"building:{building}", view="board")
        assert 'id="board-count"' in snapshot["summary"]
        await book_hour(dogger)
        frame = await live.next("room")
        assert f'id="room-{dogger.uuid}"' in frame["room"]["html"]
        assert 'id="board-soon"' in (await live.next("summary"))["html"]


async def test_frames__asked_for__are_answered(transactional_db, server: Stack):
    async with asyncio.timeout(PATIENCE_S), server.socket() as live:
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
    async with asyncio.timeout(PATIENCE_S), server.socket() as live:
        for _ in range(messages.MAX_BAD_FRAMES_PER_MINUTE + 1):
            await live.raw.send("{")
        code, frames = await closed(live)
    assert code == 4400
    assert [f["code"] for f in frames] == ["bad_frame"] * 6


async def test_frames__too_many__are_closed_with_4429(transactional_db, server: Stack):
    async with asyncio.timeout(PATIENCE_S), server.socket() as live:
        for n in range(messages.MAX_FRAMES_PER_MINUTE + 1):
            await live.send(type="ping", t=n)
        code, frames = await closed(live)
    assert code == 4429
    assert frames[-1]["code"] == "too_many_frames"


async def test_public__foreign_topic__is_closed_with_4401(transactional_db, server: Stack):
    async with asyncio.timeout(PATIENCE_S), server.socket() as live:
        await live.send(type="subscribe", topic=f"room:{uuid4()}")
        assert (await closed(live))[0] == 4401


async def test_connections__of_one_token__are_limited(transactional_db, server: Stack):
    _, headers = await prepared()
    async with asyncio.timeout(PATIENCE_S):
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


async def change_often(store: LiveStore, room_id: UUID, times: int) -> None:
    """Publish `times` versions of a room through the layer, each with CHANGE_CHARACTERS."""
    publisher = Publisher(get_channel_layer())
    state = await store.get(str(room_id))
    for n in range(times):
        name = "x" * CHANGE_CHARACTERS + str(n)
        changed = replace(state, version=state.version + 1, name=name)
        assert await store.replace(changed, expected=state.mark)
        await publisher.publish(changed)
        state = changed


async def versions_up_to(last: int, live: LiveClient) -> list[int]:
    """Read rooms up to version `last`; return the versions in the order of arrival."""
    versions = []
    while not versions or versions[-1] != last:
        versions.append((await live.next("room"))["room"]["version"])
    return versions


async def change_under(
    reader: LiveClient, deaf: LiveClient, store: LiveStore, room_id: UUID, times: int
) -> int:
    """Change a room often while one client reads and another does not; return the version.

    The reader must read meanwhile: on a slow machine it would otherwise be as slow as the other.
    """
    deaf.raw.transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL
    )
    for live in (deaf, reader):
        await live.follow_known(f"room:{room_id}")
    deaf.raw.transport.pause_reading()
    last = reader.rooms[str(room_id)]["version"] + times
    async with asyncio.TaskGroup() as group:
        group.create_task(versions_up_to(last, reader))
        group.create_task(change_often(store, room_id, times))
    return last


def ended_as_too_slow(server: Stack) -> int:
    """Return how many clients the web process has ended because they did not read."""
    return server.web.output.count("socket_too_slow")


async def test_slow_client__resumes_reading__gets_the_newest_in_order(
    transactional_db, server: Stack, store
):
    (dogger,), headers = await prepared("Dogger")
    slow = server.socket(additional_headers=headers, max_queue=1)
    quick = server.socket(additional_headers=headers)
    async with asyncio.timeout(PATIENCE_S), slow as behind, quick as ahead:
        last = await change_under(ahead, behind, store, dogger.uuid, 30)
        behind.raw.transport.resume_reading()
        versions = await versions_up_to(last, behind)
    assert versions == sorted(set(versions))
    assert len(versions) < 27, "some were skipped"


async def test_dead_client__never_reads__is_closed_without_effect_on_others(
    transactional_db, server: Stack, store
):
    (dogger,), headers = await prepared("Dogger")
    dead = server.socket(additional_headers=headers, max_queue=1, close_timeout=1)
    quick = server.socket(additional_headers=headers)
    async with asyncio.timeout(PATIENCE_S), dead as dead_client, quick as ahead:
        before = ended_as_too_slow(server)
        await change_under(ahead, dead_client, store, dogger.uuid, 60)
        while ended_as_too_slow(server) == before:
            # Only the newest of quick changes are sent, so the first 60 may all fit.
            await change_often(store, dogger.uuid, 1)
            await asyncio.sleep(0.2)
        dead_client.raw.transport.resume_reading()
        code, frames = await closed(dead_client)
        await ahead.send(type="ping", t=1)
        assert (await ahead.next("pong"))["t"] == 1
    assert code in (4408, 1006)
    assert len(frames) < 60
    assert ended_as_too_slow(server) == before + 1


async def test_token__revoked__closes_with_4401(transactional_db, server: Stack):
    _, headers = await prepared()
    async with asyncio.timeout(PATIENCE_S), server.socket(additional_headers=headers) as live:
        await _revoke_all()
        code, frames = await closed(live)
    assert code == 4401
    assert frames[-1]["code"] == "signed_out"


@database_sync_to_async
def _revoke_all() -> None:
    from identity.models import ApiToken

    ApiToken.objects.update(revoked_at=SYSTEM_CLOCK.now())


async def test_hello__first__names_build_and_heartbeat(transactional_db, server: Stack):
    async with asyncio.timeout(PATIENCE_S), server.raw_socket() as raw:
        frame = json.loads(await raw.recv())
    assert frame["type"] == "hello"
    assert frame["build"]
    assert frame["heartbeat_s"] == messages.HEARTBEAT_S


@database_sync_to_async
def _many_rooms(count: int):
    where = floor()
    rooms = [room(f"Room {n}", on=where).uuid for n in range(count)]
    return where.slug, rooms, bearer(person())


async def test_snapshot__larger_than_a_client_may_send__arrives(transactional_db, server: Stack):
    slug, rooms, headers = await _many_rooms(150)
    async with (
        asyncio.timeout(PATIENCE_S),
        server.socket(additional_headers=headers, max_size=None) as live,
    ):
        await live.follow_known(f"floor:{slug}", *rooms)
        await live.next("heartbeat")
