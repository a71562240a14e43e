"""Command: extend a booking by some minutes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.domain.booking_data import BookingData
from booking.domain.errors import SlotTakenError, StaleVersionError
from booking.repository import get_booking, time_until_taken
from booking.transaction.database_clock import DATABASE_CLOCK
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval

ATTEMPTS = 2  # repeated after a concurrent change; the refusal of one more attempt is final


def extend_booking(
    *, actor: Actor, booking_id: UUID, minutes: int, clock: Clock = DATABASE_CLOCK
) -> BookingData:
    """Move the end of the booking by `minutes`, to the start of the next booking at the latest.

    Raises InvalidCommandError `end_not_after_start` for less than 1 minute, and what `edit_booking`
    raises. `facts.possible_minutes` of a SlotTakenError is the longest extension that is free.
    """
    if minutes < 1:
        raise InvalidCommandError(
            "Extend the booking by 1 minute or more.", code=KernelErrorCode.END_NOT_AFTER_START
        )
    for _ in range(ATTEMPTS):
        try:
            return _extend(actor, booking_id, minutes, clock)
        except StaleVersionError:
            continue  # the booking changed after it was read: extend its new end
    return _extend(actor, booking_id, minutes, clock)


def _extend(actor: Actor, booking_id: UUID, minutes: int, clock: Clock) -> BookingData:
    booking = get_booking(booking_id).as_data()
    longer = Interval.of(booking.interval.start, booking.interval.end + timedelta(minutes=minutes))
    try:
        return edit_booking(
            actor=actor,
            booking_id=booking_id,
            edit=BookingEdit(interval=longer),
            expected_version=booking.version,
            clock=clock,
        )
    except SlotTakenError as taken:
        possible = time_until_taken(booking, now=clock.now()) // timedelta(minutes=1)
        facts: Mapping[str, Any] = {**taken.facts, "possible_minutes": possible}
        offer = f"You can extend by {possible} min." if possible else "You cannot extend it."
        raise SlotTakenError(
            f"The room is booked right after. {offer}", code=taken.code, facts=facts
        ) from taken
