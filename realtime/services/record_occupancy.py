"""Command: take a sensor's reading of a room."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from booking.services.check_in import check_in
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError, NotFoundError
from realtime.domain.state import LiveState, Occupancy, SensorHealth, SlotState
from realtime.projector import Observation, Projector
from realtime.store import LiveStore, Reading
from realtime.threads import in_thread

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

        A reading older than the newest is kept raw and changes nothing, so late, repeated and
        reordered readings end in the same state.
        Raises: InvalidCommandError for an impossible reading, NotFoundError for an unknown room.
        """
        self._check(reading)
        recorded_at = self.clock.now()
        await self.store.keep_reading(reading)

        def apply(known: Occupancy) -> Occupancy:
            if known.observed_at is not None and known.observed_at >= reading.observed_at:
                return known
            return Occupancy(
                count=reading.count,
                motion=reading.motion,
                source=reading.source,
                observed_at=reading.observed_at,
                sensor=SensorHealth.OK,
            )

        state = await self.projector.project(reading.room, Observation(apply, recorded_at))
        if state is None:
            raise NotFoundError(f"There is no room {reading.room}.")
        await self._check_in_who_was_seen(state)
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

    async def _check_in_who_was_seen(self, state: LiveState) -> None:
        slot = state.schedule.current
        if slot is None or slot.state is not SlotState.CONFIRMED or not state.occupancy.is_sensed:
            return
        sensor = Actor(ActorKind.SENSOR, state.occupancy.source or "sensor")
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
