"""Command: give back what is due in one room: no-shows past their grace, holds that ran out."""

from uuid import UUID

from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.unit_of_work import run_in_rooms
from meeting_rooms.kernel.clock import Clock


def expire_due_bookings(*, room: UUID, clock: Clock = DATABASE_CLOCK) -> None:
    """Settle what is due in the room. Every command about a room begins with just that.

    Guarantees: each booking is released once, however many callers there are; a check-in that
    commits first wins. Raises NotFoundError for an unknown room.
    """
    run_in_rooms(lambda _tx: None, rooms=(room,), clock=clock)
