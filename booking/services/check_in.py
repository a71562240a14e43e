"""Command: say that somebody has come."""

from uuid import UUID

from booking.clock import DATABASE_CLOCK
from booking.domain.facts import BookingFacts
from booking.domain.rules import CHECK_IN_OPENS_BEFORE
from booking.domain.states import BookingState
from booking.models import Booking
from booking.services.lifecycle import change_booking
from booking.services.room_transaction import RoomTransaction
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError


def check_in(
    *, actor: Actor, booking_id: UUID, reason: str = "", clock: Clock = DATABASE_CLOCK
) -> BookingFacts:
    """Check in; anybody at the door may. Checking in again returns the booking unchanged.

    Raises: NotFoundError; ConflictError `too_early` before the window, `released` past the grace
    instant (even by a millisecond), `not_active` for a cancelled or finished booking.
    """

    def arrive(booking: Booking, tx: RoomTransaction) -> None:
        if booking.state == BookingState.RELEASED:
            raise ConflictError(
                "Nobody checked in in time, so the slot was released. Book it again if it is free.",
                code="released",
            )
        if booking.state == BookingState.CANCELLED or booking.interval.end <= tx.now:
            raise ConflictError("The booking is cancelled or over.", code="not_active")
        opens = booking.interval.start - CHECK_IN_OPENS_BEFORE
        if tx.now < opens:
            raise ConflictError(
                f"Check-in opens at {opens:%H:%M} UTC.",
                code="too_early",
                facts={"opens_at": opens.isoformat()},
            )
        booking.state = BookingState.CHECKED_IN
        booking.check_in_until = None

    return change_booking(
        actor=actor,
        booking_id=booking_id,
        command="check_in",
        change=arrive,
        clock=clock,
        reason=reason,
    )
