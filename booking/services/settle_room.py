"""Command: give back what is due in one room: no-shows past their grace, holds that ran out."""

from uuid import UUID

from booking.clock import DATABASE_CLOCK
from booking.services.room_transaction import in_rooms
from meeting_rooms.kernel.clock import Clock


def settle_room(*, room: UUID, clock: Clock = DATABASE_CLOCK) -> None:
    """Settle what is due in the room. Every command about a room begins with just that.

    Guarantees: each booking is released once, however many callers there are; a check-in that
    commits first wins. Raises NotFoundError for an unknown room.
    """
    in_rooms(lambda _tx: None, rooms=(room,), clock=clock)
