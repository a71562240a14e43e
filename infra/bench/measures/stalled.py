"""Stalled clients: 50 of 60 clients stop reading while 20,000 updates are sent."""

import asyncio
import json
import socket
import statistics
import time
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from infra.bench.children import Child
from infra.bench.contenders import PRODUCT
from infra.bench.estate import Estate
from infra.bench.feeds import Feed
from infra.bench.goals import BenchError, Found, Measured
from infra.bench.stage import Stage

STALLED, READING, ROOMS = 50, 10, 10
WARM_UP_UPDATES = 500
POINTS = 40  # of the memory curve
RECEIVE_BUFFER_BYTES = 4096  # small, so that the server is soon blocked
UPDATES_TIMEOUT_S = 300.0
RESUME_TIMEOUT_S = 30.0


async def measure(stage: Stage, wanted: Collection[str]) -> Found:
    """Return growth and slope of the memory of the web process, and whether a client recovers."""
    estate, updates = Estate(ROOMS), stage.plan.stalled_updates
    stage.report(f"{updates:,} updates, {STALLED} clients stalled")
    async with AsyncExitStack() as stack:
        feed = await stack.enter_async_context(PRODUCT.open_feed(stage, estate))
        server, port = await stack.enter_async_context(PRODUCT.running(stage))
        for _ in range(READING):
            client = await stack.enter_async_context(_following(stage, port, estate))
            reading = asyncio.create_task(_read(client), name="reading")
            stack.push_async_callback(_end, reading)
        stalled = [
            await stack.enter_async_context(_following(stage, port, estate)) for _ in range(STALLED)
        ]
        async with asyncio.timeout(UPDATES_TIMEOUT_S):
            await _change(feed, WARM_UP_UPDATES)
            curve = await _memory_curve(feed, server, updates)
        open_still = sum(client.close_code is None for client in stalled)
        detail = f"{open_still} of {STALLED} still connected"
        found: Found = {
            "stalled-memory": Measured(_growth_mb(curve), detail),
            "stalled-slope": Measured(_slope_mb(curve)),
            "stalled-final": await _resumed(stage, port, estate, stalled[0]),
        }
    return {key: value for key, value in found.items() if key in wanted}


@asynccontextmanager
async def _following(stage: Stage, port: int, estate: Estate) -> AsyncIterator[ClientConnection]:
    """Connect a client and read its snapshot; the caller reads further frames."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
    headers = {"Authorization": f"Bearer {stage.token}"}
    uri = f"ws://127.0.0.1:{port}/ws/v1/live"
    client = await connect(
        uri, sock=raw, additional_headers=headers, ping_interval=None, max_queue=1, close_timeout=1
    )
    try:
        await client.send(json.dumps({"type": "subscribe", "topic": str(estate.topic)}))
        async with asyncio.timeout(RESUME_TIMEOUT_S):
            while json.loads(await client.recv())["type"] != "snapshot":
                pass
        yield client
    finally:
        client.transport.abort()  # a stalled client does not read the answer to a close frame


async def _read(client: ClientConnection) -> None:
    """Read all frames and answer every `sync`."""
    async for text in client:
        await _acknowledge(client, text)


async def _acknowledge(client: ClientConnection, text: str | bytes) -> None:
    if isinstance(text, str) and text.startswith('{"type":"sync"'):
        await client.send(json.dumps({"type": "ack", "n": json.loads(text)["n"]}))


async def _change(feed: Feed, updates: int) -> None:
    for _ in range(-(-updates // ROOMS)):
        await feed.change(range(ROOMS))


async def _memory_curve(feed: Feed, server: Child, updates: int) -> list[tuple[int, float]]:
    """Return (updates so far, memory in MB) at even intervals."""
    curve = [(0, server.memory_kb / 1024)]
    step = max(ROOMS, updates // POINTS)
    for sent in range(step, updates + 1, step):
        await _change(feed, step)
        curve.append((sent, server.memory_kb / 1024))
    return curve


def _growth_mb(curve: list[tuple[int, float]]) -> float:
    return max(memory for _, memory in curve) - curve[0][1]


def _slope_mb(curve: list[tuple[int, float]]) -> float:
    """Return MB per 1,000 updates over the second half, by least squares."""
    sent, memory = zip(*curve[len(curve) // 2 :], strict=True)
    return statistics.linear_regression(sent, memory).slope * 1000


async def _resumed(
    stage: Stage, port: int, estate: Estate, client: ClientConnection
) -> Measured | BenchError:
    """Let one stalled client read again, or reconnect if it was closed; compare its rooms."""
    begun = time.monotonic()
    try:
        async with asyncio.timeout(RESUME_TIMEOUT_S):
            with suppress(ConnectionClosed):
                await _until_current(client, estate)
                return _caught_up("read again", begun)
            async with _subscribing(stage, port, estate) as again:
                await _until_current(again, estate)
            return _caught_up(f"was closed with {client.close_code}, reconnected", begun)
    except TimeoutError:
        return Measured(0, f"not current after {RESUME_TIMEOUT_S:.0f} s")


@asynccontextmanager
async def _subscribing(stage: Stage, port: int, estate: Estate) -> AsyncIterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {stage.token}"}
    uri = f"ws://127.0.0.1:{port}/ws/v1/live"
    async with connect(uri, additional_headers=headers, ping_interval=None) as client:
        await client.send(json.dumps({"type": "subscribe", "topic": str(estate.topic)}))
        yield client


async def _until_current(client: ClientConnection, estate: Estate) -> None:
    """Read until every room is in its final state. Raises BenchError if a version decreases."""
    final = {state.id: (state.version, state.name) for state in estate.states}
    held: dict[str, tuple[int, str]] = {}
    while held != final:
        text = await client.recv()
        await _acknowledge(client, text)
        frame = json.loads(text)
        bodies = frame.get("rooms", []) if frame["type"] == "snapshot" else [frame.get("room")]
        for body in filter(None, bodies):
            mark = body["version"], body["name"]
            if mark < held.get(body["id"], (0, "")):
                raise BenchError(f"Room {body['id']} went back to version {body['version']}.")
            held[body["id"]] = mark


def _caught_up(how: str, begun: float) -> Measured:
    return Measured(1, f"{how}, current after {time.monotonic() - begun:.1f} s")


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, ConnectionClosed):
        await task
