"""Rights that end while a socket is open: case 95, on real processes."""

import asyncio
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.test import Client
from websockets.exceptions import ConnectionClosed

from booking.tests.factories import book
from identity.models import ApiToken, User
from identity.tests.factories import bearer, person
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.tests.stack import PATIENCE_S, LiveClient
from realtime.protocol import messages
from rooms.models import Room
from rooms.tests.factories import room

# heartbeats until the socket must be closed: 12 s by the server's clock
BEATS_MOST = 12 / messages.HEARTBEAT_S + 1


@database_sync_to_async
def by_token() -> tuple[Room, User, dict[str, str]]:
    owner = person()
    return room("Dogger"), owner, bearer(owner)


@database_sync_to_async
def by_session() -> tuple[Room, Client, dict[str, str]]:
    client = Client()
    client.force_login(person())
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    return room("Dogger"), client, {"Cookie": f"{settings.SESSION_COOKIE_NAME}={key}"}


@database_sync_to_async
def book_next_hour(where: Room) -> None:
    start = SYSTEM_CLOCK.now() + timedelta(minutes=5)
    book(where, Interval(start, start + timedelta(hours=1)), clock=SYSTEM_CLOCK)


async def frames_until_closed(live: LiveClient) -> tuple[int, list[str]]:
    """Return the close code and the types of the frames before it."""
    types = []
    try:
        while True:
            types.append((await live.receive())["type"])
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd else 1006, types


@pytest.mark.parametrize("how", ["revoked", "left"])
async def test_case_095__a_revoked_token_or_person_gets_no_further_frame(shared_stack, how):
    """Rights revoked while a socket is open"""
    dogger, owner, headers = await by_token()
    async with asyncio.timeout(PATIENCE_S), shared_stack.socket(additional_headers=headers) as live:
        await live.follow_known(f"room:{dogger.uuid}")
        if how == "revoked":
            await ApiToken.objects.filter(user=owner).aupdate(revoked_at=SYSTEM_CLOCK.now())
        else:
            await User.objects.filter(pk=owner.pk).aupdate(is_active=False)
        code, types = await frames_until_closed(live)
        await book_next_hour(dogger)
        with pytest.raises(ConnectionClosed):
            await live.receive()
    assert code == 4401
    assert types.count("heartbeat") <= BEATS_MOST


async def test_case_095__a_person_who_signs_out_in_another_tab_is_signed_out_here(shared_stack):
    """Signed out in another tab"""
    dogger, client, headers = await by_session()
    async with asyncio.timeout(PATIENCE_S), shared_stack.socket(additional_headers=headers) as live:
        await live.follow_known(f"room:{dogger.uuid}")
        await database_sync_to_async(client.logout)()
        code, types = await frames_until_closed(live)
    assert (code, types[-1]) == (4401, "error")
    assert types.count("heartbeat") <= BEATS_MOST


async def test_case_095__a_hold_is_refused_before_the_next_check_of_rights(shared_stack):
    """A command with a token that was just revoked"""
    dogger, owner, headers = await by_token()
    async with asyncio.timeout(PATIENCE_S), shared_stack.socket(additional_headers=headers) as live:
        await ApiToken.objects.filter(user=owner).aupdate(revoked_at=SYSTEM_CLOCK.now())
        start = SYSTEM_CLOCK.now() + timedelta(minutes=5)
        end = start + timedelta(hours=1)
        slot = {"start": start.isoformat(), "end": end.isoformat()}
        await live.send(type="hold", room=str(dogger.uuid), **slot)
        assert (await live.next("error"))["code"] == "not_authenticated"
        assert (await frames_until_closed(live))[0] == 4401
