"""Requirement P3: after any loss, repetition or reordering a screen ends equal to a fresh load.

Commands, projector, stores, hub and frames are the real ones. Only the channel layer is simulated:
this layer loses, repeats and reorders messages. `--hypothesis-profile=thorough` runs a thousand
histories.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.commands.book_room import BookRooms, book_room
from booking.commands.cancel_booking import cancel_booking
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.models import Booking
from booking.tests.factories import NOW
from identity.tests.factories import actor
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.interval import Interval
from realtime.delivery.encoded_frame import Batch, Frame
from realtime.hub.fragments import Rendering
from realtime.hub.hub import Hub
from realtime.layer.publisher import Publisher, decode_change
from realtime.state.live_state import Audience
from realtime.state.topics import Topic
from realtime.store.live_store import LiveStore, Reading, open_store
from realtime.tests.screen import Screen
from realtime.worker.projector import Projector
from realtime.worker.record_occupancy import OccupancySink
from rooms.tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1200)]

STAFF = Rendering(Audience.STAFF)
ROOMS = 2

which = st.integers(0, ROOMS - 1)
steps = st.one_of(
    st.tuples(st.just("book"), which, st.integers(0, 7)),
    st.tuples(st.just("cancel"), which),
    st.tuples(st.just("read"), which, st.integers(0, 3)),
    st.tuples(st.just("advance"), st.integers(1, 50)),
    st.tuples(st.just("project"), which),
    st.tuples(st.just("rebuild"), which),
    st.tuples(st.just("deliver"), st.integers(0, 5), st.sampled_from(["once", "twice", "lost"])),
    st.tuples(st.just("compare")),
    st.tuples(st.just("tell")),
    st.tuples(st.just("beat")),
    st.tuples(st.just("read_line"), st.integers(1, 4)),
    st.tuples(st.just("cut")),
    st.tuples(st.just("connect")),
)


@dataclass
class PendingLayer:
    """A channel layer that keeps each published message until the test delivers it."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.messages.append(message)


@dataclass(eq=False)
class Line:
    """A connection: its client reads the sent texts in order, or loses them with the connection."""

    texts: list[str] = field(default_factory=list)

    @property
    def transport(self) -> "Line":
        return self

    def push(self, batch: Batch) -> None:
        self.texts.extend(frame.text for frame in batch.frames.values())

    def reply(self, frame: Frame) -> None:
        self.texts.append(frame.text)

    beat = reply


class History:
    """One run: the stores, the projector, the hub, the connection and the screen."""

    def __init__(self, store: LiveStore, rooms: list[Any], ann: Actor) -> None:
        self.ann = ann
        self.clock = FixedClock(NOW)
        self.store = store
        self.rooms = rooms
        self.topic = Topic("building", rooms[0].floor.building.slug)
        self.layer = PendingLayer()
        self.projector = Projector(store, Publisher(self.layer, self.clock), self.clock)
        self.sink = OccupancySink(store, self.projector, self.clock)
        self.hub = Hub(store, self.layer, self.clock)
        self.screen = Screen(str(self.topic))
        self.connection: Line | None = None

    async def play(self, step: tuple[Any, ...]) -> None:
        # a refused command is a valid answer: the history continues
        with suppress(MeetingRoomsError):
            await getattr(self, step[0])(*step[1:])

    async def book(self, room: int, slot: int) -> None:
        start = self.clock.now() + timedelta(minutes=20 * slot)
        wanted = BookRooms.one(
            self.rooms[room].uuid, Interval(start, start + timedelta(minutes=40))
        )
        await in_db(book_room, actor=self.ann, wanted=wanted, clock=self.clock)

    async def cancel(self, room: int) -> None:
        booking = await in_db(Booking.objects.filter(room=self.rooms[room]).order_by("?").first)
        if booking:
            await in_db(cancel_booking, actor=self.ann, booking_id=booking.pk, clock=self.clock)

    async def read(self, room: int, count: int) -> None:
        now = self.clock.now()
        await self.sink.record(Reading(self.rooms[room].uuid, count, None, "s", now))

    async def advance(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))
        for room in self.rooms:
            await in_db(expire_due_bookings, room=room.uuid, clock=self.clock)

    async def project(self, room: int) -> None:
        await self.projector.project(self.rooms[room].uuid)

    async def rebuild(self, room: int) -> None:
        await self.projector.rebuild(self.rooms[room].uuid)

    async def deliver(self, place: int, how: str) -> None:
        if self.layer.messages:
            message = self.layer.messages.pop(place % len(self.layer.messages))
            for _ in range({"once": 1, "twice": 2, "lost": 0}[how]):
                self.hub.accept(*decode_change(message))

    async def compare(self) -> None:
        await self.hub.compare()

    async def tell(self) -> None:
        await self.hub.broadcast.flush()

    async def beat(self) -> None:
        self.hub.broadcast.beat(asyncio.get_running_loop().time())
        await self.hub.broadcast.flush()

    async def read_line(self, frames: int) -> None:
        if self.connection is not None:
            for text in self.connection.texts[:frames]:
                self.screen.take(text)
            del self.connection.texts[:frames]
            await self._ask()

    async def cut(self) -> None:
        if self.connection is not None:
            self.hub.disconnect(self.connection)
            self.connection = None

    async def connect(self) -> None:
        if self.connection is None:
            self.connection = Line()
            self.screen.asks.clear()
            self.screen.subscribe()
            await self._ask()

    async def _ask(self) -> None:
        asks, self.screen.asks = self.screen.asks, []
        for ask in asks:
            have = {r: tuple(mark) for r, mark in ask["have"].items()}
            await self.hub.subscribe(self.connection, self.topic, STAFF, have)

    async def settle(self) -> None:
        """Run each repair path once: sweep, comparison, heartbeats, one resync."""
        self.layer.messages.clear()
        for room in range(ROOMS):
            await self.project(room)
        self.layer.messages.clear()
        await self.connect()
        await self.compare()
        for _ in range(2):
            await self.beat()
            while self.connection.texts or self.screen.asks:
                await self.read_line(100)


def in_db(function, *args, **kwargs):
    return database_sync_to_async(function, thread_sensitive=False)(*args, **kwargs)


def make_rooms():
    house = factories.floor()
    return [factories.room(on=house) for _ in range(ROOMS)], actor("Ann")


@given(history=st.lists(steps, min_size=4, max_size=24))
@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
async def test_screen__any_history__ends_equal_to_a_fresh_load(history):
    store = open_store()
    rooms, ann = await in_db(make_rooms)
    try:
        run = History(store, rooms, ann)
        for room in range(ROOMS):
            await run.project(room)
        for step in history:
            await run.play(step)
        await run.settle()
        fresh = Screen(str(run.topic))
        connection = Line()
        await Hub(store, run.layer, run.clock).subscribe(connection, run.topic, STAFF, {})
        fresh.take(connection.texts[0])
        assert run.screen.rooms == fresh.rooms
        assert len(fresh.rooms) == ROOMS
        assert_rises(run.screen.history)
    finally:
        await store.remove([room.uuid for room in rooms])
        await store.close()


def assert_rises(history: list[tuple[str, str, int]]) -> None:
    """Assert that versions rise within an epoch, and that no room returns to an earlier epoch."""
    newest: dict[str, tuple[str, int]] = {}
    left: set[tuple[str, str]] = set()
    for room, epoch, version in history:
        held = newest.get(room)
        if held is not None and held[0] == epoch:
            assert version > held[1]
        elif held is not None:
            left.add((room, held[0]))
        assert (room, epoch) not in left
        newest[room] = epoch, version
