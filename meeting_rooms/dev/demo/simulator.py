"""The simulator: people who book, check in, leave early or do not come, and occupancy sensors.

The simulator uses the same commands as every other caller and writes to no store by itself.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zlib import crc32

import structlog
from channels.db import database_sync_to_async
from django.db import InterfaceError, OperationalError

from booking.commands.book_room import BookRooms, book_room
from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.end_booking import end_booking
from identity.models import User
from identity.queries import actor_of
from meeting_rooms.dev.demo.campus import CAMPUS, TITLES
from meeting_rooms.dev.demo.week import QUARTER
from meeting_rooms.kernel.actor import SYSTEM_ACTOR, Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.interval import Interval
from realtime.state.live_state import LiveState, RoomStatus
from realtime.state.topics import Topic
from realtime.store.live_store import Reading
from realtime.worker.record_occupancy import OccupancySink

log = structlog.get_logger(__name__)

STEP_S = (1.5, 4.0)  # between two steps: shortest, longest
# The wanted share of free rooms: lowest, highest. Outside, the next step is a leave or a walk-up.
FREE_SHARE = (0.35, 0.55)
NO_SHOW_PERCENT = 15  # of bookings
EARLY_LEAVE_SHARE = 0.15  # of steps
SENSOR = "demo sensor"
DEMO_BUILDINGS = {building.slug for building in CAMPUS}  # imported buildings are not simulated

Action = Callable[[], object]


class Simulator:
    """Simulates one sensor reading and one action of a person every few seconds."""

    def __init__(self, sink: OccupancySink, clock: Clock, chance: random.Random) -> None:
        self._sink = sink
        self._clock = clock
        self._chance = chance

    async def run(self) -> None:
        """Run until cancelled."""
        people = await database_sync_to_async(demo_people)()
        while True:
            await asyncio.sleep(self._chance.uniform(*STEP_S))
            await self.try_step(people)

    async def try_step(self, people: Sequence[Actor]) -> None:
        """Record one sensor reading and run one action. A refusal or an outage is only logged."""
        try:
            await self._step(people)
        except MeetingRoomsError as refusal:
            log.info("simulated_step_refused", code=refusal.code, detail=refusal.detail)
        except (OperationalError, InterfaceError) as exc:
            log.warning("simulator_waits_for_store", error=exc)

    async def _step(self, people: Sequence[Actor]) -> None:
        states = await self._sink.store.states(Topic("campus"))
        open_rooms = [
            state for state in states if state.building in DEMO_BUILDINGS and not _is_shut(state)
        ]
        if not open_rooms or not people:
            return
        await self._count(min(open_rooms, key=_last_seen))
        if act := self._choose(open_rooms, self._chance.choice(people)):
            await database_sync_to_async(act)()

    async def _count(self, state: LiveState) -> None:
        """Record the number of people in the room whose last reading is the oldest."""
        slot = state.schedule.current
        is_used = slot is not None and not _stays_away(slot.booking)
        count = self._chance.randint(1, max(1, state.capacity * 2 // 3)) if is_used else 0
        reading = Reading(
            room=state.uuid,
            count=count,
            motion=count > 0,
            source=SENSOR,
            observed_at=self._clock.now(),
        )
        await self._sink.record(reading)

    def _choose(self, states: Sequence[LiveState], person: Actor) -> Action | None:
        free = [s for s in states if s.status is RoomStatus.FREE]
        running = [
            s for s in states if s.status in (RoomStatus.OCCUPIED, RoomStatus.ENDING) and _slot(s)
        ]
        waiting = [s for s in states if s.status is RoomStatus.RESERVED and _is_coming(s)]
        fewest, most = FREE_SHARE
        if free and len(free) > most * len(states):
            return self._walk_up(self._chance.choice(free), person)
        is_restless = self._chance.random() < EARLY_LEAVE_SHARE
        if running and (is_restless or len(free) < fewest * len(states)):
            return self._leave(self._chance.choice(running))
        if waiting:
            return self._arrive(self._chance.choice(waiting))
        return self._chance.choice([self._book_later, self._cancel])(
            self._chance.choice(states), person
        )

    def _walk_up(self, state: LiveState, person: Actor) -> Action | None:
        start = self._clock.now().replace(microsecond=0)
        end = _quarter_after(start + QUARTER * self._chance.randint(1, 3))
        end = min(end, state.until or end)
        if end <= start:  # `until` has passed since the state was read
            return None
        return self._book(state, Interval(start, end), person)

    def _book_later(self, state: LiveState, person: Actor) -> Action:
        start = _quarter_after(self._clock.now()) + QUARTER * self._chance.randint(1, 40)
        end = start + QUARTER * self._chance.randint(1, 4)
        return self._book(state, Interval(start, end), person)

    def _book(self, state: LiveState, interval: Interval, person: Actor) -> Action:
        wanted = BookRooms.one(state.uuid, interval, self._chance.choice(TITLES))
        return lambda: book_room(actor=person, wanted=wanted, clock=self._clock)

    def _cancel(self, state: LiveState, _person: Actor) -> Action | None:
        coming = [slot for slot in state.schedule.agenda if slot.start > self._clock.now()]
        if len(coming) < 4:
            return None
        booking = UUID(self._chance.choice(coming).booking)
        return lambda: cancel_booking(
            actor=SYSTEM_ACTOR, booking_id=booking, reason="Simulated", clock=self._clock
        )

    def _arrive(self, state: LiveState) -> Action | None:
        if (booking := _slot(state)) is None:
            return None
        return lambda: check_in(actor=SYSTEM_ACTOR, booking_id=booking, clock=self._clock)

    def _leave(self, state: LiveState) -> Action | None:
        if (booking := _slot(state)) is None:
            return None
        return lambda: end_booking(actor=SYSTEM_ACTOR, booking_id=booking, clock=self._clock)


def demo_people() -> list[Actor]:
    """Return an actor for each active user."""
    return [actor_of(user) for user in User.objects.filter(is_active=True)]


def _slot(state: LiveState) -> UUID | None:
    current = state.schedule.current
    return UUID(current.booking) if current else None


def _is_shut(state: LiveState) -> bool:
    """Return whether the room is out of service or outside its opening hours."""
    is_after_hours = state.refusal in ("outside_opening_hours", "gap_leaves_hours")
    return state.status is RoomStatus.OUT_OF_SERVICE or is_after_hours


def _last_seen(state: LiveState) -> datetime:
    return state.occupancy.observed_at or datetime.min.replace(tzinfo=UTC)


def _stays_away(booking: str) -> bool:
    """Return whether a booking is a no-show; always the same answer for one booking."""
    return crc32(booking.encode()) % 100 < NO_SHOW_PERCENT


def _is_coming(state: LiveState) -> bool:
    current = state.schedule.current
    return current is not None and not _stays_away(current.booking)


def _quarter_after(at: datetime) -> datetime:
    floor = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
    return floor + timedelta(minutes=15)
