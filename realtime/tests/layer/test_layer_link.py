"""The link to the channel layer survives lost Redis connections, also on uvloop."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import uvloop
from channels_redis.pubsub import RedisPubSubChannelLayer

from realtime.layer.layer_link import LayerLink
from realtime.tests.faults.proxy import Mode, proxied

WAIT_S = 100.0  # only ends a test that hangs


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


async def cut_and_reconnect(host: dict[str, object], returns: list[bool]) -> None:
    """Receive through a link, cut its connections, receive again; append to `returns` each time."""
    port = urlsplit(str(host["address"])).port
    async with proxied(port) as proxy:
        address = str(host["address"]).replace(f":{port}", f":{proxy.port}")
        layer = RedisPubSubChannelLayer(hosts=[{**host, "address": address}], prefix="layer-test")
        link = LayerLink(
            layer, on_change=lambda _state, _at: None, on_return=lambda: returns.append(True)
        )
        async with asyncio.TaskGroup() as group:  # a listening loop that dies ends the test
            tasks = [group.create_task(link.listen()), group.create_task(link.probe())]
            await until(lambda: not link.is_deaf)
            await proxy.set(Mode.REFUSE)
            proxy.reset()
            await until(lambda: link.is_deaf)
            await proxy.set(Mode.PASS)
            await until(lambda: not link.is_deaf)
            for task in tasks:
                task.cancel()
        await layer.flush()


def test_link__connections_reset_and_refused__receives_again(settings):
    """uvloop raises RuntimeError for a write on a connection that was reset."""
    returns: list[bool] = []
    uvloop.run(cut_and_reconnect(settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0], returns))
    assert len(returns) == 2
