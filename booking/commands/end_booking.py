"""Command: end a running booking early."""

from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.changes import moved
from booking.domain.error_codes import BookingErrorCode
from booking.domain.states import BookingState
from booking.transaction.change_booking import change_booking, require_organizer
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError
from meeting_rooms.kernel.interval import Interval


def end_booking(
    *, actor: Actor, booking_id: UUID, reason: str = "", clock: Clock = DATABASE_CLOCK
) -> BookingData:
    """End a running booking now and free the rest of its slot. The audit log keeps the planned end.

    Raises: NotFoundError for an unknown booking; PermissionDeniedError unless the actor is the
    organizer or a room manager; ConflictError `not_running` if the booking is not running or not
    checked in.
    """

    def leave(booking: BookingData, tx: CommandContext) -> BookingData:
        require_organizer(actor, booking, tx)
        running = booking.interval.start < tx.now < booking.interval.end
        if booking.state is not BookingState.CHECKED_IN or not running:
            raise ConflictError(
                "Only a running booking with a check-in can be ended. Cancel this booking instead.",
                code=BookingErrorCode.NOT_RUNNING,
            )
        return moved(booking, tx.rooms[booking.room], Interval(booking.interval.start, tx.now))

    return change_booking(
        actor=actor,
        booking_id=booking_id,
        command="end_booking",
        change=leave,
        clock=clock,
        reason=reason,
    )
