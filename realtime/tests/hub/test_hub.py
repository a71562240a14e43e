"""A hub vouches for its screens only as a whole, and one fault leaves the loops to the others."""

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

TURNS = 200  # of the event loop
RECEIVES_MOST = 20  # of messages that cannot be read, in so many turns


class UnforeseenLayer(InMemoryChannelLayer):
    """Fails in a way that nobody has thought of."""

    async def receive(self, channel: str) -> dict[str, object]:
        raise LookupError(channel)


class UnreadableLayer(InMemoryChannelLayer):
    """Hands on nothing but what cannot be read, and never waits for it."""

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


async def test_is_live__all_loops_run__does(store):
    await store.renew_lease()
    with running(store, InMemoryChannelLayer()) as hub:
        async with asyncio.timeout(PATIENCE_S):
            while not hub.is_live():
                await asyncio.sleep(0.02)


async def test_is_live__a_loop_has_died__never_does(store):
    await store.renew_lease()
    with running(store, UnforeseenLayer()) as hub, capture_logs() as lines:
        async with asyncio.timeout(PATIENCE_S):
            while not any(line["event"] == "hub_loop_died" for line in lines):
                await asyncio.sleep(0.02)
        for _ in range(3):
            await store.renew_lease()
            await hub.check()
            assert not hub.is_live()


async def test_listen__unreadable_without_end__leaves_the_event_loop_to_others():
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
