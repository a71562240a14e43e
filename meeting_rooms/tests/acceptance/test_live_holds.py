"""Holds over the socket, as other people see them: cases 22 to 24 with real processes."""

import asyncio
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from websockets.exceptions import ConnectionClosed

from booking.commands.hold_slot import hold_slot
from booking.models import Booking
from identity.queries import actor_of
from identity.tests.factories import bearer, person
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, FixedClock
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.tests.stack import PATIENCE_S, LiveClient, Stack
from rooms.models import Room
from rooms.tests.factories import room


@database_sync_to_async
def prepared() -> tuple[Room, dict[str, str], dict[str, str]]:
    return room("Dogger"), bearer(person("Ann")), bearer(person("Ben"))


def next_hour() -> Interval:
    start = SYSTEM_CLOCK.now().replace(second=0, microsecond=0)
    return Interval(start, start + timedelta(hours=1))


async def hold(live: LiveClient, where: Room, slot: Interval) -> dict:
    start, end = slot.start.isoformat(), slot.end.isoformat()
    await live.send(type="hold", room=str(where.uuid), start=start, end=end, ref="form")
    while (frame := await live.receive())["type"] not in ("held", "error"):
        pass
    return frame


async def until_status(live: LiveClient, status: str) -> dict:
    """Return the room as soon as it has this status.

    `make bench ARGS="--rows commit-p50"` measures the delay; test_ticker that of the clock.
    """
    while (frame := await live.next("room"))["room"]["status"] != status:
        pass
    return frame["room"]


async def test_case_022__others_see_the_holder_within_a_second_and_cannot_hold_it(shared_stack):
    """A hold reaches the screens of others within a second"""
    dogger, ann, ben = await prepared()
    async with (
        asyncio.timeout(PATIENCE_S),
        shared_stack.socket(additional_headers=ann) as ann_socket,
        shared_stack.socket(additional_headers=ben) as ben_socket,
        shared_stack.socket() as board,
    ):
        for live in (ben_socket, board):
            await live.follow_known(f"room:{dogger.uuid}")
        slot = next_hour()
        held = await hold(ann_socket, dogger, slot)
        staff_room = await until_status(ben_socket, "held")
        assert [(h["id"], h["holder"], h["expires_at"]) for h in staff_room["holds"]] == [
            (held["hold"], "Ann", held["expires_at"])
        ]
        # to the public the room is free, without a hold
        public_room = (await board.next("room"))["room"]
        assert (public_room["status"], public_room["holds"], public_room["version"]) == (
            "free",
            [],
            staff_room["version"],
        )
        refused = await hold(ben_socket, dogger, slot)
        assert (refused["code"], refused["ref"]) == ("slot_held", "form")
        assert "held_until" in refused["facts"]


async def test_case_023__the_hold_expires_and_all_screens_show_it_within_a_second(shared_stack):
    """A hold that runs out is pushed by the clock alone"""
    dogger, _, ben = await prepared()
    async with (
        asyncio.timeout(PATIENCE_S),
        shared_stack.socket(additional_headers=ben) as ben_socket,
    ):
        await ben_socket.follow_known(f"room:{dogger.uuid}")
        earlier = FixedClock(SYSTEM_CLOCK.now() - timedelta(seconds=118))
        ann = actor_of(await database_sync_to_async(person)())
        facts = await database_sync_to_async(hold_slot)(
            actor=ann, room=dogger.uuid, interval=next_hour(), clock=earlier
        )
        await until_status(ben_socket, "held")
        await asyncio.sleep((facts.expires_at - SYSTEM_CLOCK.now()).total_seconds())
        assert (await until_status(ben_socket, "free"))["holds"] == []
        async with asyncio.timeout(PATIENCE_S):
            while not await Booking.objects.filter(pk=facts.id, state="lapsed").aexists():
                await asyncio.sleep(0.05)


async def test_case_024__the_page_is_closed_and_the_room_is_free_within_a_second(shared_stack):
    """The holder closes the tab"""
    dogger, ann, ben = await prepared()
    async with (
        asyncio.timeout(PATIENCE_S),
        shared_stack.socket(additional_headers=ben) as ben_socket,
    ):
        await ben_socket.follow_known(f"room:{dogger.uuid}")
        async with shared_stack.socket(additional_headers=ann) as ann_socket:
            await hold(ann_socket, dogger, next_hour())
            await until_status(ben_socket, "held")
        assert (await until_status(ben_socket, "free"))["holds"] == []


async def test_case_024__a_cut_connection_keeps_the_hold_for_the_holder(shared_stack):
    """The holder's network fails and is available again"""
    dogger, ann, _ = await prepared()
    slot = next_hour()
    async with asyncio.timeout(PATIENCE_S):
        async with shared_stack.socket(additional_headers=ann) as ann_socket:
            before = await hold(ann_socket, dogger, slot)
            ann_socket.raw.transport.abort()
        async with shared_stack.socket(additional_headers=ann) as again:
            after = await hold(again, dogger, slot)
    assert (after["type"], after["hold"]) == ("held", before["hold"])
    assert after["expires_at"] >= before["expires_at"]


async def test_hold__renewed_and_released__is_answered_with_the_ref(shared_stack):
    dogger, ann, ben = await prepared()
    async with (
        asyncio.timeout(PATIENCE_S),
        shared_stack.socket(additional_headers=ann) as ann_socket,
        shared_stack.socket(additional_headers=ben) as ben_socket,
    ):
        held = await hold(ann_socket, dogger, next_hour())
        await ann_socket.send(type="renew", hold=held["hold"], ref=2)
        renewed = await ann_socket.next("held")
        assert (renewed["hold"], renewed["ref"]) == (held["hold"], 2)
        assert renewed["renewable_until"] == held["renewable_until"]
        await ben_socket.send(type="release", hold=held["hold"])
        assert (await ben_socket.next("error"))["code"] == "not_found"
        await ann_socket.send(type="release", hold=held["hold"], ref="bye")
        assert (await ann_socket.next("released"))["ref"] == "bye"
        await ann_socket.send(type="renew", hold=held["hold"])
        assert (await ann_socket.next("error"))["code"] == "hold_over"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"end": "2026-03-12T10:00Z"}, "end_not_after_start"),
        ({"room": "dogger"}, "bad_frame"),
        ({"start": "2026-03-12T11:00"}, "bad_frame"),  # without a zone
    ],
    ids=["backwards", "no_room", "no_zone"],
)
async def test_hold__invalid__is_refused_and_the_socket_stays_open(shared_stack, changes, code):
    dogger, ann, _ = await prepared()
    frame = {"room": str(dogger.uuid), "start": "2026-03-12T11:00Z", "end": "2026-03-12T12:00Z"}
    async with (
        asyncio.timeout(PATIENCE_S),
        shared_stack.socket(additional_headers=ann) as ann_socket,
    ):
        await ann_socket.send(type="hold", **{**frame, **changes})
        assert (await ann_socket.next("error"))["code"] == code
        await ann_socket.send(type="ping", t=1)
        await ann_socket.next("pong")


async def test_hold__anonymous__is_refused_and_closed_4401(shared_stack: Stack):
    dogger, _, _ = await prepared()
    async with asyncio.timeout(PATIENCE_S), shared_stack.socket() as board:
        refused = await hold(board, dogger, next_hour())
        with pytest.raises(ConnectionClosed) as closed:
            await board.receive()
    assert (refused["code"], closed.value.rcvd.code) == ("not_authenticated", 4401)
    assert not await Booking.objects.aexists()
