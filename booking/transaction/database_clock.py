"""The clock of every booking command: the database's.

Processes on several machines may disagree on the time; what is free, over or given back is decided
by the one clock that all of them share.
"""

from datetime import UTC, datetime

from django.db import connection

from meeting_rooms.kernel.clock import Clock


class DatabaseClock:
    """Asks Postgres for the time, inside the caller's transaction if there is one."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC. Not the transaction's start: it goes on."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            row: tuple[datetime] = cursor.fetchone()
        return row[0].astimezone(UTC)


DATABASE_CLOCK = DatabaseClock()


def instant_for_sql(clock: Clock) -> datetime | None:
    """Return the clock's instant, or None where the statement had better ask its own server."""
    return None if clock is DATABASE_CLOCK else clock.now()
