"""Command: leave early."""

from uuid import UUID

from booking.clock import DATABASE_CLOCK
from booking.domain.facts import BookingFacts
from booking.domain.states import BookingState
from booking.models import Booking, as_range
from booking.services.lifecycle import change_booking, require_organizer
from booking.services.room_transaction import RoomTransaction
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError
from meeting_rooms.kernel.interval import Interval


def end_booking(
    *, actor: Actor, booking_id: UUID, reason: str = "", clock: Clock = DATABASE_CLOCK
) -> BookingFacts:
    """End a running booking now; the rest is free at once. The audit log keeps the planned end.

    Raises: NotFoundError; PermissionDeniedError; ConflictError `not_running` where there is nothing
    to end.
    """

    def leave(booking: Booking, tx: RoomTransaction) -> None:
        require_organizer(actor, booking)
        running = booking.interval.start < tx.now < booking.interval.end
        if booking.state != BookingState.CHECKED_IN or not running:
            raise ConflictError(
                "Only a running, checked-in booking can be ended; cancel it instead.",
                code="not_running",
            )
        booking.during = as_range(Interval(booking.interval.start, tx.now))

    return change_booking(
        actor=actor,
        booking_id=booking_id,
        command="end_booking",
        change=leave,
        clock=clock,
        reason=reason,
    )
