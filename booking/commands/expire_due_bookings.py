"""Command: expire the bookings of one room whose `lapses_at` has come."""

from uuid import UUID

from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.unit_of_work import run_in_rooms
from meeting_rooms.kernel.clock import Clock


def expire_due_bookings(*, room: UUID, clock: Clock = DATABASE_CLOCK) -> None:
    """Expire the room's due holds, requests and no-shows.

    This command does nothing else: every command first expires what is due in its rooms.
    Guarantees: each booking expires once, also if several callers race; a check-in that commits
    first wins. Raises NotFoundError for an unknown or retired room.
    """
    run_in_rooms(lambda _tx: None, rooms=(room,), clock=clock)
