"""The states of a booking, and what each state allows. Pure."""

from enum import StrEnum


class BookingState(StrEnum):
    """The state of a booking.

    `held`: a person is filling in the booking, or was offered the slot from the waitlist.
    `pending`: waits for approval by a room manager. `confirmed`: booked. `checked_in`: booked, and
    people have come. `cancelled`: cancelled, so the slot became free. `rejected`: a request that a
    room manager rejected or did not decide in time, or that lost its slot to another request.
    `released`: not checked in in time, so the slot became free. `lapsed`: a hold that expired or
    was released.
    """

    HELD = "held"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    RELEASED = "released"
    LAPSED = "lapsed"


STATES_THAT_TAKE_THE_SLOT = frozenset(
    {BookingState.HELD, BookingState.CONFIRMED, BookingState.CHECKED_IN}
)  # a pending booking takes its slot if the policy says so: see `BookingData.takes_slot`
STATES_THAT_MAY_TAKE_THE_SLOT = STATES_THAT_TAKE_THE_SLOT | {BookingState.PENDING}
STATES_THAT_CAN_BE_CANCELLED = STATES_THAT_MAY_TAKE_THE_SLOT - {BookingState.HELD}
STATES_THAT_CAN_BE_CHANGED = STATES_THAT_CAN_BE_CANCELLED
STATES_THAT_CAN_BE_RESTORED = frozenset({BookingState.CANCELLED, BookingState.RELEASED})
