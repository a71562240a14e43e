"""The one INSERT statement that a booking needs, into a table like the table of the product."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import uuid4

import psycopg
from psycopg.types.range import TimestamptzRange

from meeting_rooms.kernel.clock import SYSTEM_CLOCK

INSERT = (
    "INSERT INTO bench_booking (id, room_id, units, during, local_start, local_end, title, "
    "organizer_name, is_private, state, takes_slot, version, flags, created_at) VALUES (%s, %s, "
    "int8range(%s, %s, '[]'), %s, '', '', %s, %s, false, 'confirmed', true, 1, '{}', %s) "
    "ON CONFLICT DO NOTHING RETURNING id"
)


@contextmanager
def raw_table(url: str) -> Iterator[psycopg.Connection]:
    """Create a table with the same columns, indexes and exclusion constraint; drop it on exit."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_booking (LIKE booking_booking INCLUDING ALL)")
        try:
            yield connection
        finally:
            connection.execute("DROP TABLE bench_booking")


def values_of(room: int, start: datetime, end: datetime) -> tuple[object, ...]:
    """Return the values of INSERT."""
    during = TimestamptzRange(start, end, "[)")
    return (uuid4(), room, room, room, during, "Retro", "Ann", SYSTEM_CLOCK.now())
