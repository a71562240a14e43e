"""Command: give a booked slot back before it ends."""

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
    """Cancel the booking, in all its rooms. Cancelling it again returns it unchanged.

    Raises: NotFoundError; PermissionDeniedError for others than organizer and manager;
    ConflictError `already_over` for a booking of the past, `not_cancellable` for a released one.
    """

    def cancel(booking: BookingData, tx: CommandContext) -> BookingData:
        require_organizer(actor, booking, tx)
        if booking.state is BookingState.CANCELLED:
            return booking
        if booking.state not in STATES_THAT_CAN_BE_CANCELLED:
            raise ConflictError(
                f"The booking is already {booking.state}.", code=BookingErrorCode.NOT_CANCELLABLE
            )
        if booking.interval.end <= tx.now:
            raise ConflictError(
                "The booking is over and stays as history.", code=BookingErrorCode.ALREADY_OVER
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
