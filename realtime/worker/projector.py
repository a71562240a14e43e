"""The projector: brings a room's live state up to its schedule, its sensors and the time.

Idempotent, coalescing, safe to run twice and in any order: it reads the schedule and its version in
one Postgres snapshot, and replaces the live state only if that is still the one it has judged.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from booking.repository import RoomSchedule, read_schedules
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import UnavailableError
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import ONE_DAY, day_of, start_of_day
from realtime import metrics
from realtime.layer.publisher import Publisher
from realtime.state.derive import Derived, derive
from realtime.state.live_state import Closure, LiveState, Mark, Occupancy, Schedule
from realtime.store.live_store import LiveStore
from realtime.threads import in_thread
from realtime.worker.schedule_slots import hold_of, milliseconds, slot_of

MAX_ATTEMPTS = 10  # lost races in a row; each means that another projector has made progress
LOOK_AHEAD = timedelta(
    days=2, hours=2
)  # more than to the end of the next local day, of 25 hours too


@dataclass(frozen=True, slots=True)
class Observation:
    """A sensor's reading on its way in: what it makes of the occupancy known so far."""

    apply: Callable[[Occupancy], Occupancy]
    recorded_at: datetime


class Projector:
    """Writes live states and publishes them."""

    def __init__(self, store: LiveStore, publisher: Publisher, clock: Clock) -> None:
        self._store = store
        self._publisher = publisher
        self._clock = clock

    async def project(self, room: UUID, observation: Observation | None = None) -> LiveState | None:
        """Bring one room up to date, with a new sensor reading if there is one.

        Returns the state that holds now, or None for a room not in use. Guarantees and errors are
        those of `project_all`.
        """
        return (await self.project_all([room], observation)).get(room)

    async def project_all(
        self, rooms: Collection[UUID], observation: Observation | None = None
    ) -> dict[UUID, LiveState]:
        """Bring rooms up to date together: the stores are read once for all of them.

        Returns the states that hold now, of the rooms in use.
        Guarantees: the version rises by one exactly when the content changes; a schedule older than
        the stored one is never written. Raises UnavailableError after MAX_ATTEMPTS lost races.
        """
        held: dict[UUID, LiveState] = {}
        waiting = set(rooms)
        for _ in range(MAX_ATTEMPTS):
            schedules = await self._read_schedules(waiting)
            _count("gone", len(waiting - schedules.keys()))
            stored = await self._stored(schedules)
            made = await asyncio.gather(
                *(self._advance(s, stored[room], observation) for room, s in schedules.items()),
                return_exceptions=True,  # the failure of one ends none of the others
            )
            for room, state in zip(schedules, made, strict=True):
                if isinstance(state, BaseException):
                    raise state
                if state is not None:
                    held[room] = state
            waiting = schedules.keys() - held.keys()
            if not waiting:
                return held
        raise UnavailableError(f"Rooms change faster than they can be projected: {waiting}.")

    async def _advance(
        self, schedule: RoomSchedule, stored: LiveState | None, observation: Observation | None
    ) -> LiveState | None:
        """Write and publish what has changed; None when another projector was faster."""
        if stored is None or stored.schedule.version <= schedule.room.schedule_version:
            fresh = self._judge(schedule, stored, observation)
            if fresh == stored:
                _count("unchanged")
                return stored
            if await self._write(fresh, stored):
                _count("changed")
                await self._publish(fresh, stored)
                return fresh
        _count("outrun")
        return None

    async def _stored(self, rooms: Iterable[UUID]) -> dict[UUID, LiveState | None]:
        ids = [str(room) for room in rooms]
        known = {state.id: state for state in await self._store.states_of(ids)}
        # What is missing may also be unreadable: `get` sees to that.
        return {UUID(i): known.get(i) or await self._store.get(i) for i in ids}

    async def rebuild(self, room: UUID) -> LiveState | None:
        """Make a room's state anew under a new epoch, from Postgres and its newest reading.

        Returns what holds now, or None for a room not in use. Every client fetches the room afresh.
        Raises UnavailableError after MAX_ATTEMPTS lost races.
        """
        for _ in range(MAX_ATTEMPTS):
            schedule = (await self._read_schedules([room])).get(room)
            if schedule is None:
                return None
            stored = await self._store.get(str(room))
            seen = await self._store.newest_reading(room) or Occupancy()
            anew = Observation(partial(_instead, seen), self._clock.now())
            fresh = self._judge(schedule, None, anew)
            if await self._write(fresh, stored):
                await self._publisher.publish(fresh)
                return fresh
        raise UnavailableError(f"Room {room} changes faster than it can be rebuilt.")

    async def _read_schedules(self, rooms: Collection[UUID]) -> dict[UUID, RoomSchedule]:
        now = self._clock.now()
        ahead = Interval(now, now + LOOK_AHEAD)
        return await in_thread(read_schedules, rooms, ahead, now=now)

    async def _publish(self, fresh: LiveState, stored: LiveState | None) -> None:
        """Publish what was written. A first state is late against nothing, so it is not timed."""
        written_at = self._clock.now()
        await self._publisher.publish(fresh)
        if stored is None:
            return
        published_s = metrics.seconds_since(fresh.changed_at, self._clock.now())
        metrics.commit_to_publish_seconds.observe(published_s)
        due = stored.next_change_at
        if due is not None and due != fresh.next_change_at and due <= written_at:
            metrics.ticker_lateness_seconds.observe(metrics.seconds_since(due, written_at))

    def _judge(
        self, schedule: RoomSchedule, stored: LiveState | None, observation: Observation | None
    ) -> LiveState:
        """Return what the room's state ought to be; unchanged content keeps its version."""
        now = milliseconds(self._clock.now())
        known = stored.occupancy if stored else Occupancy()
        occupancy = observation.apply(known) if observation else known
        recorded_at = observation.recorded_at if observation and occupancy != known else None
        rules, bookings = schedule.rules, schedule.bookings
        slots = [slot for slot in map(slot_of, bookings) if slot]
        holds = [hold for hold in map(hold_of, bookings) if hold]
        elsewhere = {str(b.pk): b.room_id for b in bookings if b.room_id != rules.id}
        closures = [
            Closure(milliseconds(c.starts_at), c.ends_at and milliseconds(c.ends_at), c.reason)
            for c in schedule.closures
        ]
        derived = derive(slots, closures, occupancy, now, holds, room=rules, elsewhere=elsewhere)
        same = _state(
            schedule,
            derived,
            mark=stored.mark if stored else (uuid4().hex[:12], 1),
            midnight=start_of_day(day_of(now, rules.zone) + ONE_DAY, rules.zone),
            changed_at=stored.changed_at if stored else now,
        )
        if stored is None or same == stored:
            return same
        changed_at = _became_fact_at(stored, schedule, recorded_at, now)
        return replace(same, version=stored.version + 1, changed_at=changed_at)

    async def _write(self, fresh: LiveState, stored: LiveState | None) -> bool:
        if stored is None:
            return await self._store.insert(fresh)
        return await self._store.replace(fresh, expected=stored.mark)


def _state(
    schedule: RoomSchedule,
    derived: Derived,
    *,
    mark: Mark,
    midnight: datetime,
    changed_at: datetime,
) -> LiveState:
    room, floor, building = schedule.room, schedule.room.floor, schedule.room.floor.building
    epoch, version = mark
    return LiveState(
        id=str(room.uuid),
        epoch=epoch,
        version=version,
        building=building.slug,
        floor=floor.slug,
        slug=room.slug,
        name=room.name,
        capacity=room.capacity,
        features=schedule.features,
        direction=room.direction,
        timezone=building.timezone,
        is_public=building.is_board_public,
        shows_titles=building.shows_titles,
        status=derived.status,
        until=derived.until,
        next_change_at=min(derived.next_change_at or midnight, midnight),
        schedule=Schedule(
            version=room.schedule_version,
            agenda=derived.agenda,
            current=derived.current,
            next=derived.next,
        ),
        closure=derived.closure,
        occupancy=derived.occupancy,
        changed_at=changed_at,
        holds=derived.holds,
        next_public_change_at=(
            min(derived.next_public_change_at or midnight, midnight) if derived.holds else None
        ),
        refusal=derived.refusal,
        is_open_at_door=schedule.rules.policy.is_open_at_door,
    )


def _instead(seen: Occupancy, _known: Occupancy) -> Occupancy:
    return seen


def _became_fact_at(
    stored: LiveState, schedule: RoomSchedule, recorded_at: datetime | None, now: datetime
) -> datetime:
    """Return since when the screens have been behind: the oldest of the facts that are new.

    A commit counts from Postgres' clock, a reading from when it was recorded, a boundary from its
    own instant. A change for another reason, such as a new release, becomes a fact by being made.
    """
    facts = []
    if schedule.room.schedule_version > stored.schedule.version:
        facts.append(schedule.room.schedule_changed_at)
    if recorded_at is not None:
        facts.append(recorded_at)
    if stored.next_change_at is not None and stored.next_change_at <= now:
        facts.append(stored.next_change_at)
    return milliseconds(min(facts, default=now))


def _count(outcome: str, times: int = 1) -> None:
    metrics.projections_total.labels(outcome).inc(times)
