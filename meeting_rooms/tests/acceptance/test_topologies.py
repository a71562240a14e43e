"""Sentinel, Cluster and a replica set, selected by URL alone, survive a kill of their leader.

The clients that were opened before the kill are used after it: nothing is restarted.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from django.utils.module_loading import import_string
from redis.asyncio.sentinel import SentinelConnectionPool

from meeting_rooms.health import probe_stores
from meeting_rooms.kernel.errors import UnavailableError
from meeting_rooms.redis_url import channel_layers
from meeting_rooms.tests.acceptance import topologies
from meeting_rooms.tests.acceptance.topologies import Topology
from meeting_rooms.tests.stack import PATIENCE_S
from realtime.layer.layer_link import LayerLink
from realtime.layer.publisher import Publisher
from realtime.state.live_state import LiveState
from realtime.store.live_store import LiveStore, open_store
from realtime.tests.factories import live

RETRY_S = 0.1


class LinkPair:
    """A publisher and a hub's link to the layer, each with its own connections."""

    def __init__(self, url: str) -> None:
        self.received: list[int] = []
        self.returns = 0
        self._received_one = asyncio.Event()
        self.publisher = Publisher(_layer(url))
        self.link = LayerLink(_layer(url), on_change=self._receive, on_return=self._return)
        self._version = 0

    async def pass_one(self, within_s: float = PATIENCE_S) -> float:
        """Publish new versions until one arrives; return the seconds until then."""
        started = time.monotonic()
        async with asyncio.timeout(within_s):
            while True:
                self._version += 1
                self._received_one.clear()
                if await self.publisher.publish(live(version=self._version)):
                    try:
                        async with asyncio.timeout(RETRY_S):
                            await self._received_one.wait()
                    except TimeoutError:
                        continue
                    return time.monotonic() - started
                await asyncio.sleep(RETRY_S)

    def _receive(self, state: LiveState, _published_at: float) -> None:
        self.received.append(state.version)
        self._received_one.set()

    def _return(self) -> None:
        self.returns += 1


def _layer(url: str):
    chosen = channel_layers(url, "topologies")["default"]
    return import_string(chosen["BACKEND"])(**chosen["CONFIG"])


@asynccontextmanager
async def joined(url: str) -> AsyncIterator[LinkPair]:
    pair = LinkPair(url)
    tasks = [asyncio.ensure_future(run()) for run in (pair.link.listen, pair.link.probe)]
    try:
        yield pair
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for layer in (pair.publisher._layer, pair.link._layer):
            await _close(layer)


async def _close(layer) -> None:
    """Close a layer, and its connections to sentinels, which channels_redis does not close."""
    pools = [shard._redis.connection_pool for shard in layer._get_layer()._shards]
    await layer.flush()
    for pool in pools:
        if isinstance(pool, SentinelConnectionPool):
            await pool.sentinel_manager.aclose()


async def is_ready(store: str) -> bool:
    return all(probe.is_ok for probe in await probe_stores() if probe.name == store)


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[tuple[Topology, list[topologies.Server]]]:
    with topologies.sentinel(tmp_path) as running:
        yield running


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Topology]:
    with topologies.cluster(tmp_path) as running:
        yield running


@pytest.fixture
def replica_set(tmp_path: Path) -> Iterator[Topology]:
    with topologies.replica_set(tmp_path) as running:
        yield running


async def test_sentinel__leader_and_a_sentinel_killed__messages_pass_again(sentinel, settings):
    redis, watchers = sentinel
    settings.REDIS_URL = redis.url
    async with joined(redis.url) as pair:
        await pair.pass_one()
        assert await is_ready("redis")
        old = redis.leader
        watchers[0].kill()  # the sentinel that is asked first
        old.kill()
        took_over = await asyncio.to_thread(redis.await_other_leader, old)
        seconds = await pair.pass_one()
        assert await is_ready("redis")
        while pair.returns < 2:  # the first connection, and the next one: the hub resyncs
            await asyncio.sleep(RETRY_S)
    assert pair.received == sorted(set(pair.received))
    print(f"another leader after {took_over:.1f} s, messages pass {seconds:.1f} s later")


async def test_cluster__nodes_killed_one_by_one__messages_pass_while_one_is_left(cluster, settings):
    settings.REDIS_URL = cluster.url
    async with joined(cluster.url) as pair:
        await pair.pass_one()
        for node in list(cluster.servers.values())[:-1]:
            node.kill()
            print(f"messages pass {await pair.pass_one():.1f} s after a node was killed")
            assert await is_ready("redis")
    assert pair.received == sorted(set(pair.received))


@pytest.mark.usefixtures("mongodb_away")
async def test_replica_set__primary_killed__next_write_succeeds(replica_set, settings):
    settings.MONGODB_URL = replica_set.url
    store = open_store()
    try:
        await _prepare(store)
        state = live()
        assert await store.insert(state)
        assert await is_ready("mongodb")
        replica_set.leader.kill()
        killed = time.monotonic()
        state, refused = await _write_until_stored(store, state)
        took = time.monotonic() - killed
        assert await store.get(state.id) == state
        assert await is_ready("mongodb")
    finally:
        await store.close()
    print(f"written {took:.1f} s after the primary was killed, {refused} attempts refused")


async def _prepare(store: LiveStore) -> None:
    """Prepare a store with retries, like a worker: the store may be slow in its first seconds."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await store.prepare()
            except UnavailableError:
                await asyncio.sleep(RETRY_S)


async def _write_until_stored(store: LiveStore, state: LiveState) -> tuple[LiveState, int]:
    """Replace a state like a projector: read the stored state, replace it, retry on an outage."""
    refused = 0
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                stored = await store.get(state.id)
                if stored != state:
                    return stored, refused  # written by an attempt whose answer was lost
                later = replace(state, version=state.version + 1)
                if await store.replace(later, expected=state.mark):
                    return later, refused
            except UnavailableError:
                refused += 1
                await asyncio.sleep(RETRY_S)
