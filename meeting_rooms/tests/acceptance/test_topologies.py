"""Sentinel, Cluster and a replica set, chosen by URL alone, go on after their leader is killed.

What is opened before the kill is used after it: nothing is restarted.
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


class Ends:
    """A publisher and a hub's link to the layer, each with connections of its own."""

    def __init__(self, url: str) -> None:
        self.heard: list[int] = []
        self.returns = 0
        self._news = asyncio.Event()
        self.publisher = Publisher(_layer(url))
        self.link = LayerLink(_layer(url), on_change=self._hear, on_return=self._return)
        self._version = 0

    async def pass_one(self, within_s: float = PATIENCE_S) -> float:
        """Publish new versions until one arrives; return after how many seconds one did."""
        started = time.monotonic()
        async with asyncio.timeout(within_s):
            while True:
                self._version += 1
                self._news.clear()
                if await self.publisher.publish(live(version=self._version)):
                    try:
                        async with asyncio.timeout(RETRY_S):
                            await self._news.wait()
                    except TimeoutError:
                        continue
                    return time.monotonic() - started
                await asyncio.sleep(RETRY_S)

    def _hear(self, state: LiveState, _published_at: float) -> None:
        self.heard.append(state.version)
        self._news.set()

    def _return(self) -> None:
        self.returns += 1


def _layer(url: str):
    chosen = channel_layers(url, "topologies")["default"]
    return import_string(chosen["BACKEND"])(**chosen["CONFIG"])


@asynccontextmanager
async def joined(url: str) -> AsyncIterator[Ends]:
    ends = Ends(url)
    tasks = [asyncio.ensure_future(run()) for run in (ends.link.listen, ends.link.probe)]
    try:
        yield ends
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for layer in (ends.publisher._layer, ends.link._layer):
            await _close(layer)


async def _close(layer) -> None:
    """Flush it, and close its questions to sentinels, which channels_redis leaves to the exit."""
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
    async with joined(redis.url) as ends:
        await ends.pass_one()
        assert await is_ready("redis")
        old = redis.leader
        watchers[0].kill()  # the one that is asked first
        old.kill()
        took_over = await asyncio.to_thread(redis.await_other_leader, old)
        again = await ends.pass_one()
        assert await is_ready("redis")
        while ends.returns < 2:  # the first join, and the return: the hub resyncs
            await asyncio.sleep(RETRY_S)
    assert ends.heard == sorted(set(ends.heard))
    print(f"another leader after {took_over:.1f} s, messages pass {again:.1f} s later")


async def test_cluster__nodes_killed_one_by_one__messages_pass_while_one_is_left(cluster, settings):
    settings.REDIS_URL = cluster.url
    async with joined(cluster.url) as ends:
        await ends.pass_one()
        for node in list(cluster.servers.values())[:-1]:
            node.kill()
            print(f"messages pass {await ends.pass_one():.1f} s after a node was killed")
            assert await is_ready("redis")
    assert ends.heard == sorted(set(ends.heard))


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
        state, refused = await _write_until_taken(store, state)
        took = time.monotonic() - killed
        assert await store.get(state.id) == state
        assert await is_ready("mongodb")
    finally:
        await store.close()
    print(f"written {took:.1f} s after the primary was killed, {refused} attempts refused")


async def _prepare(store: LiveStore) -> None:
    """Prepare a store, again and again as a worker does: it may be slow in its first seconds."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await store.prepare()
            except UnavailableError:
                await asyncio.sleep(RETRY_S)


async def _write_until_taken(store: LiveStore, state: LiveState) -> tuple[LiveState, int]:
    """Replace as a projector does: read what holds, name it, try again when the store is away."""
    refused = 0
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                held = await store.get(state.id)
                if held != state:
                    return held, refused  # written by an attempt whose answer was lost
                later = replace(state, version=state.version + 1)
                if await store.replace(later, expected=state.mark):
                    return later, refused
            except UnavailableError:
                refused += 1
                await asyncio.sleep(RETRY_S)
