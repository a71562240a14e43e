"""Commands: retire a room, and bring a retired room back into use."""

from uuid import UUID

from django.db import transaction
from django.db.models import Q

from booking.commands.close_room import MAX_LISTED
from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import shown
from booking.domain.states import BookingState
from booking.models import Booking
from booking.transaction.context import CommandContext, release_holds
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.unit_of_work import run_in_rooms
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError, NotFoundError, PermissionDeniedError
from rooms.models import Room
from rooms.places.mark_rooms_changed import mark_rooms_changed


def retire_room(*, actor: Actor, room: UUID, clock: Clock = DATABASE_CLOCK) -> None:
    """Remove the room from boards and from booking. Its past bookings stay.

    A room with current or future bookings cannot be retired: `close_room` cancels or moves them
    first. Holds are released.
    Raises: ConflictError `bookings_affected`; `facts.count` is the number of current and future
    bookings, and `facts.bookings` lists the first 500. PermissionDeniedError for an actor who is
    not an admin; NotFoundError for an unknown or retired room.
    """
    _require_admin(actor)

    def run(tx: CommandContext) -> None:
        rules = tx.rooms[room]
        coming = Booking.objects.select_related("room").filter(
            Q(takes_slot=True) | Q(state=BookingState.PENDING),
            room_id=rules.id,
            during__endswith__gt=tx.now,
        )
        found = [booking.as_data() for booking in coming.order_by("during", "pk")]
        holds = [booking for booking in found if booking.state is BookingState.HELD]
        affected = [booking for booking in found if booking.state is not BookingState.HELD]
        if affected:
            raise ConflictError(
                f"Bookings of this room that are not over: {len(affected)}. "
                "Close the room first and cancel or move them, then retire the room.",
                code=BookingErrorCode.BOOKINGS_AFFECTED,
                facts={
                    "count": len(affected),
                    "bookings": [
                        {"id": str(b.id), **shown(b.interval)} for b in affected[:MAX_LISTED]
                    ],
                },
            )
        release_holds(tx, holds, actor)
        tx.marked.add(room)
        tx.also.append(lambda: Room.objects.filter(pk=rules.id).update(is_active=False))

    run_in_rooms(run, rooms=(room,), clock=clock)


@transaction.atomic
def reinstate_room(*, actor: Actor, room: UUID) -> None:
    """Add a retired room to boards and booking again. A room in use does not change.

    Raises: PermissionDeniedError for an actor who is not an admin; NotFoundError for an unknown
    room.
    """
    _require_admin(actor)
    found = Room.objects.filter(uuid=room).first()
    if found is None:
        raise NotFoundError(f"There is no room {room}.")
    if not found.is_active:
        Room.objects.filter(pk=found.pk).update(is_active=True)
        mark_rooms_changed([found.pk])


def _require_admin(actor: Actor) -> None:
    if not actor.is_admin:
        raise PermissionDeniedError("Only an admin can retire or reinstate a room. Ask an admin.")
