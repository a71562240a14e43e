"""The number of sockets of one address, and the places that are kept for signed-in people."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from channels.db import database_sync_to_async
from websockets.exceptions import ConnectionClosed, InvalidStatus

from identity.commands.issue_device import issue_device
from identity.models import Role
from identity.tests.factories import actor, bearer, person
from meeting_rooms.tests.stack import Stack
from rooms.tests.factories import room

ALL, RESERVED, PER_ADDRESS = 8, 3, 2
LIMITS = {
    "MAX_CONNECTIONS": str(ALL),
    "RESERVED_CONNECTIONS": str(RESERVED),
    "MAX_CONNECTIONS_PER_ADDRESS": str(PER_ADDRESS),
    "BEHIND_PROXY": "1",  # the test is the proxy, and sets the client's address
    "TRUSTED_PROXIES": "1",
}


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Iterator[Stack]:
    running = Stack(tmp_path, LIMITS)
    try:
        running.start_web()
        yield running
    finally:
        running.stop()


class Crowd:
    """Sockets that stay open until the test ends."""

    def __init__(self, server: Stack, held: AsyncExitStack) -> None:
        self._server, self._held = server, held

    async def join(self, address: str, caller: dict[str, str] | None = None) -> str:
        """Open a socket; return "open", or the code of the refusal."""
        headers = {"X-Forwarded-For": address, **(caller or {})}
        raw = await self._held.enter_async_context(
            self._server.raw_socket(additional_headers=headers)
        )
        frame = json.loads(await raw.recv())
        if frame["type"] == "hello":
            return "open"
        with pytest.raises(ConnectionClosed) as end:
            await raw.recv()
        assert end.value.rcvd.code == 4429
        return str(frame["code"])


@asynccontextmanager
async def crowd(server: Stack) -> AsyncIterator[Crowd]:
    async with AsyncExitStack() as held:
        yield Crowd(server, held)


async def test_address__with_too_many_public_sockets__gets_no_more_but_others_do(server):
    caller = await database_sync_to_async(lambda: bearer(person()))()
    async with crowd(server) as other, crowd(server) as one:
        assert [await one.join("192.0.2.1") for _ in range(PER_ADDRESS)] == ["open"] * PER_ADDRESS
        assert await one.join("192.0.2.1") == "too_many_from_address"
        # An entry that the client writes before the proxy's entry changes nothing.
        assert await one.join("198.51.100.1, 192.0.2.1") == "too_many_from_address"
        assert await one.join("::ffff:192.0.2.1") == "too_many_from_address"
        assert await other.join("192.0.2.2") == "open"
        assert await one.join("192.0.2.1", caller) == "open"
        assert await one.join("192.0.2.1", caller) == "open"


async def test_address__its_sockets_have_closed__has_places_again(server):
    async with crowd(server) as one:
        assert [await one.join("192.0.2.1") for _ in range(PER_ADDRESS)] == ["open"] * PER_ADDRESS
    async with crowd(server) as one:
        assert [await one.join("192.0.2.1") for _ in range(PER_ADDRESS)] == ["open"] * PER_ADDRESS


async def test_public_sockets__of_many_addresses__leave_places_for_people(server):
    caller = await database_sync_to_async(lambda: bearer(person()))()
    async with crowd(server) as all_:
        for n in range(ALL - RESERVED):
            assert await all_.join(f"198.51.100.{n}") == "open"
        assert await all_.join("198.51.100.99") == "too_many_connections"
        for _ in range(RESERVED):
            assert await all_.join("198.51.100.99", caller) == "open"
        assert await all_.join("198.51.100.99", caller) == "too_many_connections"


async def test_public_sockets__with_an_invalid_session__count_as_public(server):
    async with crowd(server) as one:
        for n in range(PER_ADDRESS):
            assert await one.join("192.0.2.1", {"Cookie": f"session=made{n}up"}) == "open"
        refused = await one.join("192.0.2.1", {"Cookie": "session=another"})
        assert refused == "too_many_from_address"


@database_sync_to_async
def device_token() -> str:
    return issue_device(actor=actor(role=Role.ADMIN), name="Door", rooms=[room().uuid]).secret


async def test_device_token__at_the_socket__opens_nothing(server):
    """A device cannot follow a topic, so it gets no title that its building hides."""
    headers = {"Authorization": f"Bearer {await device_token()}", "X-Forwarded-For": "192.0.2.1"}
    with pytest.raises(InvalidStatus) as refused:
        async with server.raw_socket(additional_headers=headers):
            pass
    assert refused.value.response.status_code == 403
