"""What cancel, check-in and end share: find the booking, lock its room, change it, tell."""

from collections.abc import Callable
from uuid import UUID

from booking.domain.facts import BookingFacts
from booking.models import Booking
from booking.services.room_transaction import RoomTransaction, room_transaction
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import NotFoundError, PermissionDeniedError

Change = Callable[[Booking, RoomTransaction], None]


def change_booking(
    *,
    actor: Actor,
    booking_id: UUID,
    command: str,
    change: Change,
    clock: Clock,
    reason: str = "",
) -> BookingFacts:
    """Apply `change` to one booking under its room's lock, store it and audit it.

    Where `change` leaves the booking as it was, nothing is written: a repeated command is harmless.
    Raises NotFoundError for an unknown booking, and whatever `change` raises.
    """
    room = Booking.objects.filter(pk=booking_id).values_list("room__uuid", flat=True).first()
    if room is None:
        raise NotFoundError(f"There is no booking {booking_id}.")
    with room_transaction([room], clock=clock) as tx:
        booking = Booking.objects.select_related("room").filter(pk=booking_id).first()
        if booking is None or booking.room.uuid not in tx.rooms:
            raise NotFoundError(f"There is no booking {booking_id} in this room any more.")
        before = booking.facts()
        change(booking, tx)
        after = booking.facts()
        if after != before:
            booking.save()
            tx.audit(actor=actor, command=command, before=before, after=after, reason=reason)
        return after


def require_organizer(actor: Actor, booking: Booking) -> None:
    """Refuse a person who is neither the organizer nor an admin. The system itself may act."""
    if actor.kind is not ActorKind.PERSON or actor.is_admin:
        return
    if actor.user_id != booking.organizer_id:
        raise PermissionDeniedError("Only the organizer or an admin can change this booking.")
