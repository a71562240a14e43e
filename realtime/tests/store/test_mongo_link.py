"""A store whose client finds no server, or is broken, continues with a new client."""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pymongo
import pytest
from pymongo import AsyncMongoClient

from meeting_rooms.kernel.errors import UnavailableError
from meeting_rooms.tests.stack import PATIENCE_S
from realtime.store.live_store import LiveStore
from realtime.tests.faults.proxy import Mode, Proxy

pytestmark = pytest.mark.usefixtures("mongodb_away")


@asynccontextmanager
async def store_of(*opened: AsyncMongoClient, database: str) -> AsyncIterator[LiveStore]:
    """Open a store that uses these clients, in this order."""
    in_turn = iter(opened)
    store = LiveStore(lambda: next(in_turn), database)
    yield store
    async with asyncio.timeout(PATIENCE_S):
        await store.close()


@asynccontextmanager
async def alone() -> AsyncIterator[AsyncMongoClient]:
    """Open a client of a server that never answers; close the client at the end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = AsyncMongoClient(f"mongodb://127.0.0.1:{silent.getsockname()[1]}/")
        yield client
        await client.close()


async def break_lock(client: AsyncMongoClient, call: Coroutine[Any, Any, Any]) -> BaseException:
    """Cancel a call twice while it waits for the lock of the driver; return how it ended.

    The call that waited for the lock acquires it afterwards, and never releases it.
    """
    lock, waiting = client._topology._lock, client._topology._condition._waiters
    task = asyncio.create_task(call)
    async with asyncio.timeout(PATIENCE_S):
        while not waiting:
            await asyncio.sleep(0)
    await lock.acquire()
    task.cancel()
    while not lock._waiters:
        await asyncio.sleep(0)
    task.cancel()
    lock.release()
    [ended] = await asyncio.gather(task, return_exceptions=True)
    return ended


def repair_lock(client: AsyncMongoClient) -> None:
    """Release the lock: a client with a broken lock cannot be closed, and its sockets stay open."""
    client._topology._lock.release()


@asynccontextmanager
async def proxy_before(url: str) -> AsyncIterator[tuple[Proxy, AsyncMongoClient]]:
    """Put a proxy before MongoDB; also yield a client that uses it."""
    address = urlsplit(url)
    proxy = Proxy(address.port)
    await proxy.start()
    netloc = address.netloc.replace(f":{address.port}", f":{proxy.port}")
    query = "authSource=admin&directConnection=true"
    yield proxy, AsyncMongoClient(address._replace(netloc=netloc, query=query).geturl())
    await proxy.stop()


async def test_call__no_server_found__the_next_uses_a_new_client(settings):
    live_client = AsyncMongoClient(settings.MONGODB_URL)
    async with (
        alone() as silent_client,
        store_of(silent_client, live_client, database=settings.MONGODB_DATABASE) as store,
    ):
        with pytest.raises(UnavailableError):
            await store.ping()
        await store.ping()
        await store.renew_lease()
        assert await store.lease_age_s() is not None


async def test_call__took_too_long__keeps_its_client(settings):
    async with (
        proxy_before(settings.MONGODB_URL) as (proxy, client),
        store_of(client, database=settings.MONGODB_DATABASE) as store,
    ):
        await store.ping()
        await proxy.set(Mode.BLACKHOLE)
        with pytest.raises(UnavailableError):
            await store.ping()
        await proxy.set(Mode.PASS)
        await store.ping()


async def test_break_lock__driver_alone__no_call_ends_any_more():
    async with alone() as client:
        ended = await break_lock(client, client.admin.command("ping"))
        assert isinstance(ended, RuntimeError)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                with pymongo.timeout(0.1):
                    await client.admin.command("ping")
        repair_lock(client)


async def test_call__lock_of_the_driver_is_broken__the_next_uses_a_new_client(settings):
    live_client = AsyncMongoClient(settings.MONGODB_URL)
    async with (
        alone() as broken,
        store_of(broken, live_client, database=settings.MONGODB_DATABASE) as store,
    ):
        await break_lock(broken, broken.admin.command("ping"))
        with pytest.raises(UnavailableError):
            await store.ping()
        repair_lock(broken)
        await store.ping()


async def test_call__cancelled_while_it_breaks_the_lock__stays_cancelled(settings):
    live_client = AsyncMongoClient(settings.MONGODB_URL)
    async with (
        alone() as broken,
        store_of(broken, live_client, database=settings.MONGODB_DATABASE) as store,
    ):
        ended = await break_lock(broken, store.ping())
        assert isinstance(ended, asyncio.CancelledError)
        repair_lock(broken)
        await store.ping()


async def test_close__lock_of_the_driver_is_broken__returns(settings):
    settings.STORE_TIMEOUT_S = 0.3
    async with alone() as broken:
        store = LiveStore(lambda: broken, settings.MONGODB_DATABASE)
        await break_lock(broken, broken.admin.command("ping"))
        async with asyncio.timeout(PATIENCE_S):
            await store.close()
        repair_lock(broken)
