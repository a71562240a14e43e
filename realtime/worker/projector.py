"""The projector: updates live states from schedules, sensor readings and the time.

Projection is idempotent and may run concurrently and in any order: the projector reads a schedule
and its version in one Postgres snapshot, and replaces a live state only if it has not changed since
the projector read it.
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
from realtime.state.derive_status import Derived, derive
from realtime.state.live_state import Closure, LiveState, Mark, Occupancy, Schedule
from realtime.store.live_store import LiveStore
from realtime.threads import in_thread
from realtime.worker.schedule_slots import hold_of, milliseconds, slot_of

MAX_ATTEMPTS = 10  # lost races in a row; in each, another projector made progress
# Longer than the time to the end of the next local day, even if a day has 25 hours.
LOOK_AHEAD = timedelta(days=2, hours=2)


@dataclass(frozen=True, slots=True)
class Observation:
    """A new sensor reading: `apply` returns the occupancy after it from the occupancy before."""

    apply: Callable[[Occupancy], Occupancy]
    recorded_at: datetime


class Projector:
    """Computes, writes and publishes live states."""

    def __init__(self, store: LiveStore, publisher: Publisher, clock: Clock) -> None:
        self._store = store
        self._publisher = publisher
        self._clock = clock

    async def project(self, room: UUID, observation: Observation | None = None) -> LiveState | None:
        """Update the live state of one room, with a new sensor reading if there is one.

        Returns the present state, or None if the room is not in use. Guarantees and errors are
        those of `project_all`.
        """
        return (await self.project_all([room], observation)).get(room)

    async def project_all(
        self, rooms: Collection[UUID], observation: Observation | None = None
    ) -> dict[UUID, LiveState]:
        """Update the live states of several rooms; each store is read once for all of them.

        Returns the present states of the rooms in use. Guarantees: the version increases by one
        exactly if the content changes; an older schedule never replaces a newer one. Raises
        UnavailableError after MAX_ATTEMPTS lost races, or if a store does not answer.
        """
        held: dict[UUID, LiveState] = {}
        waiting = set(rooms)
        for _ in range(MAX_ATTEMPTS):
            schedules = await self._read_schedules(waiting)
            _count("gone", len(waiting - schedules.keys()))
            stored = await self._stored(schedules)
            made = await asyncio.gather(
                *(self._advance(s, stored[room], observation) for room, s in schedules.items()),
                return_exceptions=True,  # an error in one room must not stop the others
            )
            for room, state in zip(schedules, made, strict=True):
                if isinstance(state, BaseException):
                    raise state
                if state is not None:
                    held[room] = state
            waiting = schedules.keys() - held.keys()
            if not waiting:
                return held
        raise UnavailableError(
            f"Rooms change too fast to be projected: {', '.join(map(str, waiting))}. Try again."
        )

    async def _advance(
        self, schedule: RoomSchedule, stored: LiveState | None, observation: Observation | None
    ) -> LiveState | None:
        """Write and publish the new state of a room; None if another projector was faster."""
        if stored is None or stored.schedule.version <= schedule.room.schedule_version:
            fresh = self._next_state(schedule, stored, observation)
            if fresh == stored:
                _count("unchanged")
                return stored
            if await self._write(fresh, stored):
                _count("changed")
                await self._publish(fresh, stored)
                return fresh
        _count("lost_race")
        return None

    async def _stored(self, rooms: Iterable[UUID]) -> dict[UUID, LiveState | None]:
        ids = [str(room) for room in rooms]
        known = {state.id: state for state in await self._store.states_of(ids)}
        # A missing state may be unreadable: `get` deletes it.
        return {UUID(i): known.get(i) or await self._store.get(i) for i in ids}

    async def rebuild(self, room: UUID) -> LiveState | None:
        """Rebuild the state of a room under a new epoch, from Postgres and its newest reading.

        Returns the new state, or None if the room is not in use. Every client fetches the room
        again. Raises UnavailableError after MAX_ATTEMPTS lost races, or if a store does not answer.
        """
        for _ in range(MAX_ATTEMPTS):
            schedule = (await self._read_schedules([room])).get(room)
            if schedule is None:
                return None
            stored = await self._store.get(str(room))
            seen = await self._store.newest_reading(room) or Occupancy()
            observation = Observation(partial(_replace_occupancy, seen), self._clock.now())
            fresh = self._next_state(schedule, None, observation)
            if await self._write(fresh, stored):
                await self._publisher.publish(fresh)
                return fresh
        raise UnavailableError(f"Room {room} changes too fast to be rebuilt. Try again.")

    async def _read_schedules(self, rooms: Collection[UUID]) -> dict[UUID, RoomSchedule]:
        now = self._clock.now()
        ahead = Interval(now, now + LOOK_AHEAD)
        return await in_thread(read_schedules, rooms, ahead, now=now)

    async def _publish(self, fresh: LiveState, stored: LiveState | None) -> None:
        """Publish a written state and measure its delay; a first state has no delay."""
        written_at = self._clock.now()
        await self._publisher.publish(fresh)
        if stored is None:
            return
        published_s = metrics.seconds_since(fresh.changed_at, self._clock.now())
        metrics.commit_to_publish_seconds.observe(published_s)
        due = stored.next_change_at
        if due is not None and due != fresh.next_change_at and due <= written_at:
            metrics.ticker_lateness_seconds.observe(metrics.seconds_since(due, written_at))

    def _next_state(
        self, schedule: RoomSchedule, stored: LiveState | None, observation: Observation | None
    ) -> LiveState:
        """Return the new state of the room; if its content is unchanged, it equals `stored`."""
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
        changed_at = _changed_at(stored, schedule, recorded_at, now)
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


def _replace_occupancy(seen: Occupancy, _known: Occupancy) -> Occupancy:
    return seen


def _changed_at(
    stored: LiveState, schedule: RoomSchedule, recorded_at: datetime | None, now: datetime
) -> datetime:
    """Return the instant of the oldest change that `stored` lacks.

    The instant of a commit is Postgres' clock, of a reading its recording, of a change by time its
    scheduled instant. For any other change, such as a new release, it is `now`.
    """
    instants = []
    if schedule.room.schedule_version > stored.schedule.version:
        instants.append(schedule.room.schedule_changed_at)
    if recorded_at is not None:
        instants.append(recorded_at)
    if stored.next_change_at is not None and stored.next_change_at <= now:
        instants.append(stored.next_change_at)
    return milliseconds(min(instants, default=now))


def _count(outcome: str, times: int = 1) -> None:
    metrics.projections_total.labels(outcome).inc(times)
