"""Command: check in to a booking, so that it is not released as a no-show."""

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
    """Check in to the booking; any actor may do this. A second check-in changes nothing.

    Raises: NotFoundError for an unknown booking; ConflictError `too_early` before check-in opens,
    `released` after the grace has ended (even by a millisecond), `not_active` for a booking that is
    neither confirmed nor checked in, or is over.
    """

    def arrive(booking: BookingData, tx: CommandContext) -> BookingData:
        if booking.state is BookingState.CHECKED_IN and tx.now < booking.interval.end:
            return booking
        if booking.state is BookingState.RELEASED:
            raise ConflictError(
                "No check-in came in time, so the booking was released. "
                "Book the slot again if it is free.",
                code=BookingErrorCode.RELEASED,
                facts={"room": str(booking.room), "ends_at": booking.interval.end.isoformat()},
            )
        if booking.state is not BookingState.CONFIRMED or booking.interval.end <= tx.now:
            state = "over" if booking.interval.end <= tx.now else booking.state
            raise ConflictError(
                f"The booking is {state}, so check-in is not possible.",
                code=BookingErrorCode.NOT_ACTIVE,
            )
        opens_before = timedelta(minutes=tx.rooms[booking.room].policy.check_in_opens_minutes)
        opens = booking.interval.start - opens_before
        if tx.now < opens:
            zone = tx.rooms[booking.room].zone
            raise ConflictError(
                f"Check-in opens at {opens.astimezone(zone):%H:%M}. Try again then.",
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
