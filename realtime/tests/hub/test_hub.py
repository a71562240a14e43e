"""A hub is live only while all its loops run, and no loop blocks the event loop."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from channels.layers import BaseChannelLayer, InMemoryChannelLayer
from structlog.testing import capture_logs

from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.tests.stack import PATIENCE_S
from realtime.hub.hub import Hub
from realtime.layer.layer_link import LayerLink
from realtime.store.live_store import LiveStore

TURNS = 200  # turns of the event loop
RECEIVES_MOST = 20  # unreadable messages received in so many turns


class UnforeseenLayer(InMemoryChannelLayer):
    """A layer that fails with an unexpected exception."""

    async def receive(self, channel: str) -> dict[str, object]:
        raise LookupError(channel)


class UnreadableLayer(InMemoryChannelLayer):
    """A layer that returns only unreadable messages, and never waits for them."""

    receives = 0

    async def receive(self, channel: str) -> dict[str, object]:
        self.receives += 1
        if self.receives > TURNS:
            raise AssertionError("the event loop was left to nothing else")
        raise ValueError(channel)


@contextmanager
def running(store: LiveStore, layer: BaseChannelLayer) -> Iterator[Hub]:
    hub = Hub(store, layer, SYSTEM_CLOCK)
    before = asyncio.all_tasks()
    hub.start()
    try:
        yield hub
    finally:
        for task in asyncio.all_tasks() - before:
            task.cancel()


async def test_is_live__all_loops_run__becomes_true(store):
    await store.renew_lease()
    with running(store, InMemoryChannelLayer()) as hub:
        async with asyncio.timeout(PATIENCE_S):
            while not hub.is_live():
                await asyncio.sleep(0.02)


async def test_is_live__a_loop_has_died__stays_false(store):
    await store.renew_lease()
    with running(store, UnforeseenLayer()) as hub, capture_logs() as log_entries:
        async with asyncio.timeout(PATIENCE_S):
            while not any(entry["event"] == "hub_loop_died" for entry in log_entries):
                await asyncio.sleep(0.02)
        for _ in range(3):
            await store.renew_lease()
            await hub.check()
            assert not hub.is_live()


async def test_listen__endless_unreadable_messages__does_not_block_the_event_loop():
    layer = UnreadableLayer()
    link = LayerLink(layer, on_change=lambda _state, _at: None, on_return=lambda: None)
    listening = asyncio.ensure_future(link.listen())
    async with asyncio.timeout(PATIENCE_S):
        while not layer.receives:
            await asyncio.sleep(0)
    for _ in range(TURNS):
        await asyncio.sleep(0)
    assert not listening.done()
    assert layer.receives <= RECEIVES_MOST
    listening.cancel()
