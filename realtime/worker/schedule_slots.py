"""Convert stored bookings to the slots and holds of live states."""

from datetime import datetime

from booking.domain.states import BookingState
from booking.models import Booking
from realtime.state.live_state import Hold, Slot, SlotState

_SLOT_STATES = {
    BookingState.PENDING: SlotState.PENDING,
    BookingState.CONFIRMED: SlotState.CONFIRMED,
    BookingState.CHECKED_IN: SlotState.CHECKED_IN,
}


def slot_of(booking: Booking) -> Slot | None:
    """Return the slot of a booking; None if its state does not appear in the agenda."""
    state = _SLOT_STATES.get(BookingState(booking.state))
    if state is None:
        return None
    lapses_at = booking.lapses_at and milliseconds(booking.lapses_at)
    is_pending = state is SlotState.PENDING
    return Slot(
        booking=str(booking.pk),
        start=milliseconds(booking.interval.start),
        end=milliseconds(booking.interval.end),
        title=booking.title,
        organizer=booking.organizer_name,
        private=booking.is_private,
        state=state,
        check_in_until=None if is_pending else lapses_at,
        decide_until=lapses_at if is_pending else None,
    )


def hold_of(booking: Booking) -> Hold | None:
    """Return the hold of a booking; None if the booking is not a hold."""
    if booking.state != BookingState.HELD or booking.lapses_at is None:
        return None
    return Hold(
        id=str(booking.pk),
        start=milliseconds(booking.interval.start),
        end=milliseconds(booking.interval.end),
        holder=booking.organizer_name,
        expires_at=milliseconds(booking.lapses_at),
    )


def milliseconds(at: datetime) -> datetime:
    """Return the instant rounded down to milliseconds.

    MongoDB stores milliseconds, so a state that is read back equals the written one.
    """
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
