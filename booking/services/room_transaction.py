"""The frame of every booking command: lock the rooms, settle what is due, write, audit, bump, wake.

One transaction. Rooms are locked in ascending id, so two commands over the same rooms queue up
instead of deadlocking. Nothing outside Postgres is called from inside.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from booking.domain.facts import BookingFacts
from booking.domain.states import BookingState
from booking.models import AuditEntry, Booking
from meeting_rooms.kernel.actor import SYSTEM_ACTOR, Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import NotFoundError
from rooms.models import Room
from rooms.services.mark_rooms_changed import mark_rooms_changed


@dataclass(slots=True)
class RoomTransaction:
    """The open transaction: which rooms are locked, at what instant, and what has changed."""

    now: datetime
    rooms: dict[UUID, Room]
    changed: set[int] = field(default_factory=set)

    def audit(
        self,
        *,
        actor: Actor,
        command: str,
        before: BookingFacts | None,
        after: BookingFacts,
        reason: str = "",
    ) -> None:
        """Append the one row that tells this change, and note its rooms for the screens."""
        room = self.rooms[after.room]
        AuditEntry.objects.create(
            at=self.now,
            actor_kind=actor.kind.value,
            actor_name=actor.name,
            actor_user_id=actor.user_id,
            command=command,
            reason=reason,
            room_id=room.pk,
            booking_id=after.id,
            before=before and before.as_json(),
            after=after.as_json(),
        )
        self.changed.add(room.pk)
        if before is not None:
            self.changed.add(self.rooms[before.room].pk)


@contextmanager
def room_transaction(rooms: Collection[UUID], *, clock: Clock) -> Iterator[RoomTransaction]:
    """Lock these rooms, release their no-shows, and mark whatever the body changed on the way out.

    Guarantees: the body sees no booking of these rooms change under it; all of it commits or none.
    The instant is read after the lock, so a command that waited judges by the time it runs.
    Raises NotFoundError for an unknown or inactive room.
    """
    with transaction.atomic():
        tx = RoomTransaction(rooms=_lock(rooms), now=clock.now())
        _release_no_shows(tx)
        yield tx
        mark_rooms_changed(tx.changed)


def _lock(uuids: Collection[UUID]) -> dict[UUID, Room]:
    locked = (
        Room.objects.select_for_update(of=("self",))
        .select_related("floor__building")
        .filter(uuid__in=set(uuids), is_active=True)
        .order_by("pk")
    )
    rooms = {room.uuid: room for room in locked}
    for uuid in uuids:
        if uuid not in rooms:
            raise NotFoundError(f"There is no room {uuid}. List them at /api/v1/rooms.")
    return rooms


def _release_no_shows(tx: RoomTransaction) -> None:
    due = Booking.objects.select_related("room").filter(
        room__in=tx.rooms.values(), state=BookingState.CONFIRMED, check_in_until__lte=tx.now
    )
    for booking in due:
        before = booking.facts()
        booking.state = BookingState.RELEASED
        booking.save(update_fields=["state"])
        tx.audit(
            actor=SYSTEM_ACTOR,
            command="release_no_show",
            before=before,
            after=booking.facts(),
            reason=f"Nobody checked in by {before.check_in_until:%H:%M:%S} UTC",
        )
