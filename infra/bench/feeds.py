"""How changes reach a server: through writes of the product, or published for peers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from channels.layers import get_channel_layer
from redis.asyncio import Redis

from infra.bench.estate import Estate
from infra.bench.goals import BenchError
from infra.bench.stage import Stage
from meeting_rooms.kernel.errors import UnavailableError
from realtime.layer.publisher import Publisher
from realtime.state.live_state import LiveState
from realtime.store.live_store import LiveStore, open_store

CHANNEL = "bench"
LEASE_S = 1.0  # between two renewals, as a worker does
WRITES_AT_ONCE = 32


class Feed(Protocol):
    """Changes rooms of an estate, and publishes the changes to a server."""

    async def change(self, rooms: Sequence[int]) -> None:
        """Change these rooms at once."""
        ...


class LiveFeed:
    """Changes for the product: write to MongoDB, so comparisons find nothing, then publish."""

    def __init__(self, estate: Estate, store: LiveStore) -> None:
        self.estate = estate
        self._store = store
        self._publisher = Publisher(get_channel_layer())

    async def change(self, rooms: Sequence[int]) -> None:
        """Write all rooms, then publish all at once. Raises BenchError if a change fails."""
        states = [self.estate.change(room) for room in rooms]
        if not all(await asyncio.gather(*map(self._replace, states))):
            raise BenchError(
                "Another process changed the live states of the benchmark. Stop it and run again."
            )
        sent = await asyncio.gather(*map(self._publisher.publish, states))
        if not all(sent):
            raise BenchError(
                "The channel layer did not accept a change. Check Redis and run again."
            )

    async def _replace(self, state: LiveState) -> bool:
        return await self._store.replace(state, expected=(state.epoch, state.version - 1))


class TextFeed:
    """Changes for a peer: the frame of the product, published as text."""

    def __init__(self, estate: Estate, redis: Redis) -> None:
        self._estate = estate
        self._redis = redis

    async def change(self, rooms: Sequence[int]) -> None:
        """Publish all rooms in one round trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for room in rooms:
            pipeline.publish(CHANNEL, self._estate.text(self._estate.change(room)))
        await pipeline.execute()


class GroupFeed:
    """Changes for naive Channels: the frame as an event of a group."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._layer = get_channel_layer()

    async def change(self, rooms: Sequence[int]) -> None:
        """Send one event per room."""
        for room in rooms:
            frame = json.loads(self._estate.text(self._estate.change(room)))
            await self._layer.group_send(CHANNEL, {"type": "room.update", "frame": frame})


@asynccontextmanager
async def live_feed(estate: Estate) -> AsyncIterator[LiveFeed]:
    """Store only this estate in MongoDB, and renew the projector lease as a worker does."""
    store = open_store()
    try:
        await store.remove(await store.schedule_versions())
        await _insert(store, estate.states)
        await store.renew_lease()
        is_over = asyncio.Event()
        lease = asyncio.create_task(keep_lease(store, is_over), name="lease")
        try:
            yield LiveFeed(estate, store)
        finally:
            is_over.set()
            await lease
    finally:
        await store.close()


@asynccontextmanager
async def text_feed(stage: Stage, estate: Estate) -> AsyncIterator[TextFeed]:
    """Open a feed for servers that follow a Redis channel."""
    async with Redis.from_url(stage.environment["REDIS_URL"]) as redis:
        yield TextFeed(estate, redis)


@asynccontextmanager
async def group_feed(estate: Estate) -> AsyncIterator[GroupFeed]:
    """Open a feed for naive consumers."""
    yield GroupFeed(estate)


async def keep_lease(store: LiveStore, is_over: asyncio.Event) -> None:
    """Renew the projector lease until `is_over`; without it web processes send no heartbeats.

    No worker runs here, because it would delete states of rooms that are not in Postgres. The task
    is not cancelled, because a cancellation during a write can be lost; then the task never ends.
    """
    while not is_over.is_set():
        with suppress(UnavailableError):  # a busy machine; try again after LEASE_S
            await store.renew_lease()
        with suppress(TimeoutError):
            async with asyncio.timeout(LEASE_S):
                await is_over.wait()


async def _insert(store: LiveStore, states: Iterable[LiveState]) -> None:
    gate = asyncio.Semaphore(WRITES_AT_ONCE)

    async def insert(state: LiveState) -> None:
        async with gate:
            await store.insert(state)

    await asyncio.gather(*map(insert, states))
