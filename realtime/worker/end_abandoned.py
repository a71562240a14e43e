"""Command: end checked-in bookings whose room has been empty for the time of its policy."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import Max

from booking.commands.end_booking import end_booking
from booking.models import AuditEntry
from booking.repository import parts_of
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError, NotFoundError
from realtime.state.absence import empty_for
from realtime.state.derive_status import SENSOR_STALE_AFTER
from realtime.state.live_state import LiveState, Slot
from realtime.store.live_store import LiveStore
from realtime.threads import in_thread
from rooms.models import Room
from rooms.policies.cache import current_room_policies

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A checked-in booking whose room was empty for `minutes`, the limit of its policy."""

    room: UUID
    booking: UUID
    sensor: str
    minutes: int


@dataclass(frozen=True, slots=True)
class AbsenceWatch:
    """Finds abandoned bookings and ends them."""

    store: LiveStore
    clock: Clock

    async def end_abandoned(self) -> None:
        """End each booking all of whose rooms are abandoned. Safe to repeat, in any worker.

        A check-in or a change of the booking counts as presence: absence is counted from then on. A
        multi-room booking continues while one of its rooms is in use.
        """
        found = [gone for state in await self._watched() if (gone := await self._check(*state))]
        rooms = {gone.room for gone in found}
        for gone in {gone.booking: gone for gone in found}.values():
            await in_thread(self._end, gone, rooms)

    async def _watched(self) -> list[tuple[LiveState, Slot, int]]:
        """Return the states, slots and limits of empty rooms whose policy ends such bookings."""
        states = {
            state.uuid: (state, state.schedule.current)
            for state in await self.store.checked_in_and_empty()
        }
        limits = await in_thread(_limits, states.keys()) if states else {}
        return [
            (state, slot, limits[uuid])
            for uuid, (state, slot) in states.items()
            if slot is not None and uuid in limits
        ]

    async def _check(self, state: LiveState, slot: Slot, minutes: int) -> Abandoned | None:
        now, limit = self.clock.now(), timedelta(minutes=minutes)
        sightings = await self.store.sightings(state.uuid, since=now - limit - SENSOR_STALE_AFTER)
        if empty_for(sightings, since=slot.start, now=now) < limit:
            return None
        acted_at = await in_thread(_last_sign_of_life, UUID(slot.booking))
        since = max(slot.start, acted_at or slot.start)
        if empty_for(sightings, since=since, now=now) < limit:
            return None
        sensor = state.occupancy.source or "sensor"
        return Abandoned(state.uuid, UUID(slot.booking), sensor, minutes)

    def _end(self, gone: Abandoned, rooms: Collection[UUID]) -> None:
        try:
            if any(part.room not in rooms for part in parts_of(gone.booking)):
                return
            end_booking(
                actor=Actor(ActorKind.SENSOR, gone.sensor),
                booking_id=gone.booking,
                reason=f"{gone.sensor} has seen no people for {gone.minutes} minutes",
                clock=self.clock,
            )
        except (ConflictError, NotFoundError) as lost:
            log.info("left_already", booking=str(gone.booking), code=lost.code)


def _limits(uuids: Collection[UUID]) -> dict[UUID, int]:
    """Return `absence_minutes` of the rooms in use whose policy has a value."""
    in_use = Room.objects.filter(uuid__in=uuids, is_active=True).values_list("uuid", flat=True)
    rules = current_room_policies(list(in_use))
    return {room.uuid: room.policy.absence_minutes for room in rules if room.policy.absence_minutes}


def _last_sign_of_life(booking: UUID) -> datetime | None:
    """Return the instant of the last audit entry of a person about the booking."""
    acts = AuditEntry.objects.filter(booking_id=booking, actor_kind=ActorKind.PERSON)
    last: datetime | None = acts.aggregate(last=Max("at"))["last"]
    return last
