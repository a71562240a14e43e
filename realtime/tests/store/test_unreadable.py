"""Unreadable documents and messages are refused, and everything else continues."""

import asyncio

import bson
import msgpack
import pytest
from channels.layers import get_channel_layer
from django.conf import settings
from redis.asyncio import Redis

from meeting_rooms.tests.stack import PATIENCE_S
from realtime.layer.layer_link import LayerLink
from realtime.layer.publisher import GROUP, ROOM_CHANGED, Publisher
from realtime.state.live_state import LiveState, Schedule
from realtime.tests.factories import NOW, live, slot

WRONG = [
    {"version": "1"}, {"version": None}, {"epoch": 7}, {"status": "dance"}, {"_id": ["r1"]},
    {"floor": {}}, {"name": 7}, {"changed_at": "now"}, {"occupancy": None}, {"schedule": 7},
    {"schedule": {"version": 1, "agenda": [7], "current": None, "next": None}}, {"closure": 7},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_state__member_of_wrong_type__is_refused(wrong):
    with pytest.raises((TypeError, ValueError, KeyError)):
        LiveState.from_document(live().as_document() | wrong)


def test_state__member_of_a_later_release__is_ignored():
    state = live()
    assert LiveState.from_document(state.as_document() | {"novelty": 7}) == state


def test_state__with_bookings__is_read_back_unchanged():
    busy = slot(NOW, NOW.replace(hour=23), waits_until=NOW)
    state = live(schedule=Schedule(2, (busy,), current=busy))
    assert LiveState.from_document(state.as_document()) == state


async def test_layer__poison__is_counted_and_the_next_change_is_received():
    layer, heard = get_channel_layer(), asyncio.Queue()
    link = LayerLink(
        layer, on_change=lambda state, _at: heard.put_nowait(state), on_return=lambda: None
    )
    listening = asyncio.ensure_future(link.listen())
    outer = {"type": ROOM_CHANGED, "at": 1.0}
    poison = [
        b"", b"\xc1", b"\xff" * 9,
        *map(msgpack.packb, (7, None, [], "text", {}, {"type": "?"}, outer)),
        *(msgpack.packb({**outer, "state": bson.encode(live().as_document() | w)}) for w in WRONG),
    ]  # fmt: skip
    channel = f"{settings.REDIS_PREFIX}__group__{GROUP}"
    try:
        async with asyncio.timeout(PATIENCE_S), Redis.from_url(settings.REDIS_URL) as redis:
            while not await redis.publish(channel, poison[0]):
                await asyncio.sleep(0.02)
            for message in poison:
                await redis.publish(channel, message)
            await Publisher(layer).publish(live(version=2))
            assert (await heard.get()).version == 2
    finally:
        listening.cancel()
        await asyncio.wait([listening])
        await layer.flush()
