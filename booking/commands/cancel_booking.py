"""Command: cancel a booking and free its slot."""

from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.changes import without_slot
from booking.domain.error_codes import BookingErrorCode
from booking.domain.states import STATES_THAT_CAN_BE_CANCELLED, BookingState
from booking.transaction.change_booking import change_booking, require_organizer
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError


def cancel_booking(
    *, actor: Actor, booking_id: UUID, reason: str = "", clock: Clock = DATABASE_CLOCK
) -> BookingData:
    """Cancel the booking in all its rooms. A cancelled booking is returned unchanged.

    Raises: NotFoundError for an unknown booking; PermissionDeniedError unless the actor is the
    organizer or a room manager; ConflictError `already_over` for a booking that has ended,
    `not_cancellable` for a released booking, a rejected request or a hold.
    """

    def cancel(booking: BookingData, tx: CommandContext) -> BookingData:
        require_organizer(actor, booking, tx)
        if booking.state is BookingState.CANCELLED:
            return booking
        if booking.state not in STATES_THAT_CAN_BE_CANCELLED:
            raise ConflictError(
                f"The booking is {booking.state} and cannot be cancelled.",
                code=BookingErrorCode.NOT_CANCELLABLE,
            )
        if booking.interval.end <= tx.now:
            raise ConflictError(
                "The booking is over and cannot be cancelled.", code=BookingErrorCode.ALREADY_OVER
            )
        return without_slot(booking, BookingState.CANCELLED)

    return change_booking(
        actor=actor,
        booking_id=booking_id,
        command="cancel_booking",
        change=cancel,
        clock=clock,
        reason=reason,
    )
