"""A hub vouches for its screens only as a whole."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from channels.layers import BaseChannelLayer, InMemoryChannelLayer

from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.hub.hub import HEAL_S, Hub
from realtime.store.live_store import LiveStore

WAIT_S = 5.0


class UnforeseenLayer(InMemoryChannelLayer):
    """Fails in a way that nobody has thought of."""

    async def receive(self, channel: str) -> dict[str, object]:
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


async def test_may_vouch__all_loops_run__does(store):
    await store.renew_lease()
    with running(store, InMemoryChannelLayer()) as hub:
        async with asyncio.timeout(WAIT_S):
            while not hub.is_live():
                await asyncio.sleep(0.02)


async def test_may_vouch__a_loop_has_died__never_does(store):
    await store.renew_lease()
    with running(store, UnforeseenLayer()) as hub:
        judged: list[bool] = []
        for _ in range(20):
            await asyncio.sleep(HEAL_S / 10)
            judged.append(hub.is_live())
    assert not any(judged[5:])
