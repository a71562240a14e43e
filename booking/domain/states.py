"""The life of a booking. Pure."""

from enum import StrEnum


class BookingState(StrEnum):
    """Where a booking is in its life. The sets below say what each state allows."""

    HELD = "held"  # somebody is in the middle of booking it, or was offered it
    PENDING = "pending"  # waits for a manager's yes
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    CANCELLED = "cancelled"
    REJECTED = "rejected"  # a manager said no, or another request was approved
    RELEASED = "released"  # nobody came; the slot was given back
    LAPSED = "lapsed"  # a hold that was let go or ran out


STATES_THAT_TAKE_THE_SLOT = frozenset(
    {BookingState.HELD, BookingState.CONFIRMED, BookingState.CHECKED_IN}
)  # always; a pending one by the room's policy, see `takes_slot`
STATES_THAT_MAY_TAKE_THE_SLOT = STATES_THAT_TAKE_THE_SLOT | {BookingState.PENDING}
STATES_THAT_CAN_BE_CANCELLED = STATES_THAT_MAY_TAKE_THE_SLOT - {BookingState.HELD}
STATES_THAT_CAN_BE_CHANGED = STATES_THAT_CAN_BE_CANCELLED
STATES_THAT_CAN_BE_RESTORED = frozenset({BookingState.CANCELLED, BookingState.RELEASED})
