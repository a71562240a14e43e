"""Command: record a sensor reading of a room."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from booking.commands.check_in import check_in
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError, NotFoundError
from realtime.state.live_state import LiveState, Occupancy, SensorHealth, Slot, SlotState
from realtime.store.live_store import LiveStore, Reading
from realtime.threads import in_thread
from realtime.worker.projector import Observation, Projector
from rooms.domain.effective_policy import Presence
from rooms.policies.cache import current_room_policies

log = structlog.get_logger(__name__)
MAX_COUNT = 10_000  # people; more than any room holds


@dataclass(frozen=True, slots=True)
class OccupancySink:
    """Records sensor readings: stores them, projects the room, checks people in."""

    store: LiveStore
    projector: Projector
    clock: Clock

    async def record(self, reading: Reading) -> LiveState:
        """Store the raw reading, update the live state of the room, and check in its booking.

        A reading older than the newest one is stored but does not change the occupancy. Whether a
        reading checks a booking in depends only on its instant. So late, repeated and reordered
        readings end in the same state.

        Raises InvalidCommandError if the reading is impossible, NotFoundError if the room is
        unknown, and UnavailableError if a store does not answer.
        """
        self._check(reading)
        recorded_at = self.clock.now()
        await self.store.keep_reading(reading)

        def apply(known: Occupancy) -> Occupancy:
            reported = Occupancy(
                count=reading.count,
                motion=reading.motion,
                source=reading.source,
                observed_at=reading.observed_at,
                sensor=SensorHealth.OK,
            )
            return max(known, reported, key=_rank)

        state = await self.projector.project(reading.room, Observation(apply, recorded_at))
        if state is None:
            raise NotFoundError(
                f"There is no room {reading.room}. Find the rooms at /api/v1/rooms."
            )
        if reading.sees_people:
            await self._check_in_booking(reading, state)
        return state

    def _check(self, reading: Reading) -> None:
        if reading.count is not None and not 0 <= reading.count <= MAX_COUNT:
            raise InvalidCommandError(
                f"The head count is {reading.count}. It must be from 0 to {MAX_COUNT}."
            )
        if reading.count is None and reading.motion is None:
            raise InvalidCommandError(
                "The reading has neither a head count nor motion. Send one of them."
            )
        if reading.observed_at > self.clock.now():
            raise InvalidCommandError(
                "The instant of the reading is in the future. Set the sensor's clock."
            )

    async def _check_in_booking(self, reading: Reading, state: LiveState) -> None:
        """Check in the running booking, or log a warning, or do nothing, as the policy says."""
        slot = next((s for s in state.schedule.agenda if _is_awaited(s, reading)), None)
        if slot is None:
            return
        [rules] = await in_thread(current_room_policies, [reading.room])
        if rules.policy.presence is Presence.WARNS:
            # Screens show the same: the room is occupied and its booking has no check-in.
            log.warning("seen_without_check_in", room=state.id, booking=slot.booking)
        if rules.policy.presence is not Presence.CHECKS_IN:
            return
        sensor = Actor(ActorKind.SENSOR, reading.source)
        try:
            await in_thread(
                check_in,
                actor=sensor,
                booking_id=UUID(slot.booking),
                reason="Seen",
                clock=self.clock,
            )
        except (ConflictError, NotFoundError) as lost:
            # The booking was cancelled or released in the meantime.
            log.info("seen_too_late", booking=slot.booking, code=lost.code)


def _is_awaited(slot: Slot, reading: Reading) -> bool:
    is_running = slot.start <= reading.observed_at < slot.end
    return slot.state is SlotState.CONFIRMED and is_running


def _rank(occupancy: Occupancy) -> tuple[Any, ...]:
    """Return the sort key: by instant; at one instant by content, so that the order is fixed."""
    at = occupancy.observed_at
    return (at is not None, at, bool(occupancy.count or occupancy.motion), occupancy.count or 0,
            occupancy.source or "")  # fmt: skip
