"""Command: say that somebody has come."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.error_codes import BookingErrorCode
from booking.domain.states import BookingState
from booking.transaction.change_booking import change_booking
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError


def check_in(
    *, actor: Actor, booking_id: UUID, reason: str = "", clock: Clock = DATABASE_CLOCK
) -> BookingData:
    """Check in; anybody at the door may. Checking in again returns the booking unchanged.

    Raises: NotFoundError; ConflictError `too_early` before the window, `released` past the grace
    instant (even by a millisecond), `not_active` for anything that is not a confirmed booking.
    """

    def arrive(booking: BookingData, tx: CommandContext) -> BookingData:
        if booking.state is BookingState.CHECKED_IN and tx.now < booking.interval.end:
            return booking
        if booking.state is BookingState.RELEASED:
            raise ConflictError(
                "Nobody checked in in time, so the slot was released. Book it again if it is free.",
                code=BookingErrorCode.RELEASED,
                facts={"room": str(booking.room), "ends_at": booking.interval.end.isoformat()},
            )
        if booking.state is not BookingState.CONFIRMED or booking.interval.end <= tx.now:
            raise ConflictError(
                f"The booking is {booking.state} or over; there is nothing to check in to.",
                code=BookingErrorCode.NOT_ACTIVE,
            )
        opens_before = timedelta(minutes=tx.rooms[booking.room].policy.check_in_opens_minutes)
        opens = booking.interval.start - opens_before
        if tx.now < opens:
            zone = tx.rooms[booking.room].zone
            raise ConflictError(
                f"Check-in opens at {opens.astimezone(zone):%H:%M}.",
                code=BookingErrorCode.TOO_EARLY,
                facts={"opens_at": opens.isoformat()},
            )
        return replace(booking, state=BookingState.CHECKED_IN, lapses_at=None)

    return change_booking(
        actor=actor,
        booking_id=booking_id,
        command="check_in",
        change=arrive,
        clock=clock,
        reason=reason,
    )
