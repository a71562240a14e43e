"""Command: release a hold before it expires."""

from uuid import UUID

from booking.commands.renew_hold import refuse_other_holder
from booking.domain.booking_data import BookingData
from booking.domain.changes import without_slot
from booking.domain.states import BookingState
from booking.transaction.change_booking import change_booking
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock


def release_hold(
    *, actor: Actor, hold: UUID, reason: str = "", clock: Clock = DATABASE_CLOCK
) -> BookingData:
    """Release the hold and free its slot. A hold that has expired or was booked does not change.

    Raises NotFoundError for an unknown hold and for another person's hold.
    """

    def release(held: BookingData, _tx: CommandContext) -> BookingData:
        refuse_other_holder(held, actor)
        if held.state is not BookingState.HELD:
            return held
        return without_slot(held, BookingState.LAPSED)

    return change_booking(
        actor=actor,
        booking_id=hold,
        command="release_hold",
        change=release,
        clock=clock,
        reason=reason,
    )
