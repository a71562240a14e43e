"""The clock of every booking command: the clock of the database.

Processes on several machines may disagree about the time. The clock that all of them share decides
whether a slot is free and whether a booking is over or has lapsed.
"""

from datetime import UTC, datetime

from django.db import connection

from meeting_rooms.kernel.clock import Clock


class DatabaseClock:
    """A clock that asks Postgres for the time, inside the caller's transaction if there is one."""

    def now(self) -> datetime:
        """Return the present instant, aware and in UTC. The time also advances in a transaction."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            row: tuple[datetime] = cursor.fetchone()
        return row[0].astimezone(UTC)


DATABASE_CLOCK = DatabaseClock()


def instant_for_sql(clock: Clock) -> datetime | None:
    """Return the instant of the clock, or None if the statement must ask the database itself."""
    return None if clock is DATABASE_CLOCK else clock.now()
