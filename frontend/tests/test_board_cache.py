"""Cached boards: displays get the same page; people without access never get a cached page."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.test import AsyncClient

from identity.tests.factories import person
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.hub.hub import shared_hub
from realtime.layer.publisher import Publisher
from realtime.store.live_store import shared_store
from realtime.worker.projector import Projector
from rooms.models import Building
from rooms.places.mark_rooms_changed import mark_rooms_changed
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db(transaction=True)
in_db = database_sync_to_async
INSTANT = re.compile(r'data-now="([^"]+)"')


@asynccontextmanager
async def board_of_one_room() -> AsyncIterator[tuple[str, Callable]]:
    """Yield a board's address and a function that updates its live state from Postgres."""
    dogger = await in_db(room)("Dogger")
    store = shared_store()
    projector = Projector(store, Publisher(get_channel_layer()), SYSTEM_CLOCK)

    async def project() -> None:
        await projector.project(dogger.uuid)
        await shared_hub().compare()

    try:
        await project()
        yield f"/board/{dogger.floor.building.slug}", project
    finally:
        await store.remove([dogger.uuid])
        await store.close()


async def get_page(client: AsyncClient, address: str) -> tuple[str, str]:
    """Return the page's text without its instant, and the instant."""
    page = await client.get(address)
    assert page.status_code == 200
    text = page.content.decode()
    assert page["Content-Length"] == str(len(page.content))
    assert page["X-Request-ID"]
    instant = INSTANT.search(text).group(1)
    return text.replace(instant, ""), instant


async def test_board__requested_again__is_the_same_with_a_new_instant(async_client):
    async with board_of_one_room() as (address, _):
        while True:
            first, at = await get_page(async_client, address)
            await in_db(Building.objects.update)(name="Renamed behind the cache's back")
            again, later = await get_page(async_client, address)
            if later[:16] == at[:16]:
                break  # within one minute
        assert later > at
        assert again == first


async def test_board__room_changed__is_rendered_again(async_client):
    async with board_of_one_room() as (address, project):
        before, _ = await get_page(async_client, address)
        await in_db(_rename)(address)
        await project()
        after, _ = await get_page(async_client, address)
        assert "Dogger" in before
        assert "Humber" in after


async def test_board__building_no_longer_public__is_not_served_from_the_cache(async_client):
    async with board_of_one_room() as (address, project):
        await get_page(async_client, address)
        await in_db(_hide)(address)
        await project()
        assert (await async_client.get(address)).status_code == 302


async def test_board__signed_in_person__gets_their_own_page(async_client):
    async with board_of_one_room() as (address, project):
        await get_page(async_client, address)
        await in_db(_hide)(address)
        await project()
        await async_client.aforce_login(await in_db(person)("Sam"))
        page, _ = await get_page(async_client, address)
        assert "Dogger" in page


async def test_board__other_query__is_not_cached(async_client):
    async with board_of_one_room() as (address, _):
        dark, _ = await get_page(async_client, f"{address}?theme=dark")
        assert 'data-theme="dark"' in dark
        plain, _ = await get_page(async_client, f"{address}?theme=dark&x=1")
        assert 'data-theme="dark"' in plain


def _building(address: str) -> Building:
    return Building.objects.get(slug=address.rsplit("/", 1)[1])


def _rename(address: str) -> None:
    only = _building(address).floors.get().rooms.get()
    only.name = "Humber"
    only.save()
    mark_rooms_changed([only.pk])


def _hide(address: str) -> None:
    house = _building(address)
    house.is_board_public = False
    house.save()
    mark_rooms_changed([r.pk for f in house.floors.all() for r in f.rooms.all()])
