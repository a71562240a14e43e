"""Command: let a held slot go."""

from uuid import UUID

from booking.clock import DATABASE_CLOCK
from booking.domain.drafts import without_slot
from booking.domain.facts import BookingFacts
from booking.domain.states import BookingState
from booking.services.decision import RoomTransaction
from booking.services.lifecycle import change_booking
from booking.services.renew_hold import refuse_other_holder
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock


def release_hold(
    *, actor: Actor, hold: UUID, reason: str = "", clock: Clock = DATABASE_CLOCK
) -> BookingFacts:
    """Give the slot back at once. Harmless for a hold that is over or was booked: it stays so.

    Raises NotFoundError for an unknown hold and for somebody else's.
    """

    def let_go(held: BookingFacts, _tx: RoomTransaction) -> BookingFacts:
        refuse_other_holder(held, actor)
        if held.state is not BookingState.HELD:
            return held
        return without_slot(held, BookingState.LAPSED)

    return change_booking(
        actor=actor,
        booking_id=hold,
        command="release_hold",
        change=let_go,
        clock=clock,
        reason=reason,
    )
