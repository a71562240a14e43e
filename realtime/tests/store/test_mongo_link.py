"""A store whose client finds no server goes on with a new client."""

from collections.abc import Iterator

import pytest
from pymongo import AsyncMongoClient

from meeting_rooms.kernel.errors import UnavailableError
from meeting_rooms.tests.stack import free_port
from realtime.store.live_store import LiveStore


def clients(*urls: str) -> Iterator[AsyncMongoClient]:
    for url in urls:
        yield AsyncMongoClient(url)


async def test_call__no_server_found__the_next_uses_a_new_client(settings):
    opened = clients(f"mongodb://127.0.0.1:{free_port()}/", settings.MONGODB_URL)
    store = LiveStore(lambda: next(opened), settings.MONGODB_DATABASE)
    settings.STORE_TIMEOUT_S = 0.75  # between two of its attempts, which are half a second apart
    with pytest.raises(UnavailableError):
        await store.ping()
    settings.STORE_TIMEOUT_S = 2.0
    await store.ping()
    await store.renew_lease()
    assert await store.lease_age_s() is not None
    await store.close()


async def test_call__took_too_long__keeps_its_client(settings):
    opened = clients(settings.MONGODB_URL)
    store = LiveStore(lambda: next(opened), settings.MONGODB_DATABASE)
    await store.ping()
    settings.STORE_TIMEOUT_S = 0
    with pytest.raises(UnavailableError):
        await store.ping()
    settings.STORE_TIMEOUT_S = 2.0
    await store.ping()
    await store.close()
