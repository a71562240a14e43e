"""Command: renew a hold, so that it expires later."""

from dataclasses import replace
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import shown
from booking.domain.holds import HOLD_LASTS_AT_MOST, renewed_end
from booking.domain.states import BookingState
from booking.transaction.change_booking import change_booking
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError, NotFoundError

OVER = "Your hold has ended, so other people can book this time. Choose the time again."
BOOKED = "This hold was booked or changed. Look at your bookings."


def renew_hold(*, actor: Actor, hold: UUID, clock: Clock = DATABASE_CLOCK) -> BookingData:
    """Hold the slot for two minutes from now, up to six minutes in all, and return the hold.

    A hold that cannot last longer is returned unchanged.
    Raises: ConflictError `hold_over` if the hold has expired, was released or became a booking;
    NotFoundError for an unknown hold and for another person's hold.
    """

    def renew(held: BookingData, tx: CommandContext) -> BookingData:
        refuse_other_holder(held, actor)
        if held.state is not BookingState.HELD:
            raise ConflictError(
                OVER if held.state is BookingState.LAPSED else BOOKED,
                code=BookingErrorCode.HOLD_OVER,
                facts={
                    "room": str(held.room),
                    **shown(held.interval),
                    "state": held.state.value,
                    "holds_last_seconds": int(HOLD_LASTS_AT_MOST.total_seconds()),
                },
            )
        return replace(held, lapses_at=renewed_end(held, now=tx.now))

    return change_booking(
        actor=actor, booking_id=hold, command="renew_hold", change=renew, clock=clock
    )


def refuse_other_holder(held: BookingData, actor: Actor) -> None:
    """Raise NotFoundError unless the actor holds the slot.

    An unknown id gets the same error, so guessing ids finds no holds.
    """
    if actor.user_id is None or held.organizer_id != actor.user_id:
        raise NotFoundError(f"You have no hold {held.id}.")
