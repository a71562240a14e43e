"""Command: take a sensor's reading of a room."""

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
MAX_COUNT = 10_000


@dataclass(frozen=True, slots=True)
class OccupancySink:
    """What a reading passes through on its way to the screens."""

    store: LiveStore
    projector: Projector
    clock: Clock

    async def record(self, reading: Reading) -> LiveState:
        """Keep the raw reading, bring the room's live state up to it, and check in who was seen.

        A reading older than the newest is kept raw and changes no occupancy; whether it checks
        somebody in depends on when it was made alone. So late, repeated and reordered readings end
        in the same state.
        Raises: InvalidCommandError for an impossible reading, NotFoundError for an unknown room.
        """
        self._check(reading)
        recorded_at = self.clock.now()
        await self.store.keep_reading(reading)

        def apply(known: Occupancy) -> Occupancy:
            told = Occupancy(
                count=reading.count,
                motion=reading.motion,
                source=reading.source,
                observed_at=reading.observed_at,
                sensor=SensorHealth.OK,
            )
            return max(known, told, key=_rank)

        state = await self.projector.project(reading.room, Observation(apply, recorded_at))
        if state is None:
            raise NotFoundError(f"There is no room {reading.room}.")
        if reading.sees_people:
            await self._check_in_who_was_seen(reading, state)
        return state

    def _check(self, reading: Reading) -> None:
        if reading.count is not None and not 0 <= reading.count <= MAX_COUNT:
            raise InvalidCommandError(f"A head count lies between 0 and {MAX_COUNT}.")
        if reading.count is None and reading.motion is None:
            raise InvalidCommandError("A reading needs a head count or a motion.")
        if reading.observed_at > self.clock.now():
            raise InvalidCommandError(
                "A reading cannot come from the future. Set the sensor's clock."
            )

    async def _check_in_who_was_seen(self, reading: Reading, state: LiveState) -> None:
        """Check in, or only note it, as the room's policy says what seeing people means."""
        slot = next((s for s in state.schedule.agenda if _is_awaited(s, reading)), None)
        if slot is None:
            return
        [rules] = await in_thread(current_room_policies, [reading.room])
        if rules.policy.presence is Presence.WARNS:
            # The screens show it, too: the room is occupied and its booking still to be checked in.
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
            # Cancelled or released in the meantime: then there is nobody to check in.
            log.info("seen_too_late", booking=slot.booking, code=lost.code)


def _is_awaited(slot: Slot, reading: Reading) -> bool:
    is_running = slot.start <= reading.observed_at < slot.end
    return slot.state is SlotState.CONFIRMED and is_running


def _rank(occupancy: Occupancy) -> tuple[Any, ...]:
    """Order readings by their time; those of one instant by what they saw, so that one prevails."""
    at = occupancy.observed_at
    return (at is not None, at, bool(occupancy.count or occupancy.motion), occupancy.count or 0,
            occupancy.source or "")  # fmt: skip
