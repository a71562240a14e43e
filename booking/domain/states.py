"""The life of a booking. Pure."""

from enum import StrEnum


class BookingState(StrEnum):
    """Where a booking is in its life. The sets below say what each state allows."""

    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    CANCELLED = "cancelled"
    RELEASED = "released"  # nobody came; the slot was given back


STATES_THAT_TAKE_THE_SLOT = (BookingState.CONFIRMED, BookingState.CHECKED_IN)
STATES_THAT_CAN_BE_CANCELLED = (BookingState.CONFIRMED, BookingState.CHECKED_IN)
