"""Command: give back the slots of one room whose grace has run out."""

from uuid import UUID

from booking.clock import DATABASE_CLOCK
from booking.services.room_transaction import room_transaction
from meeting_rooms.kernel.clock import Clock


def release_no_shows(*, room: UUID, clock: Clock = DATABASE_CLOCK) -> None:
    """Release what is due in the room. Opening the transaction does just that.

    Guarantees: each booking is released once, however many callers there are; a check-in that
    commits first wins. Raises NotFoundError for an unknown room.
    """
    with room_transaction([room], clock=clock):
        pass
