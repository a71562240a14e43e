"""Command: mark rooms as changed, so that the live state follows."""

from collections.abc import Collection

from django.db import connection

ROOM_CHANGED_CHANNEL = "room_changed"  # LISTEN/NOTIFY; the payload is the uuid of the room

# Booking commands do the same in their own SQL statements (`booking/transaction/sql`).
_MARK = """
WITH bumped AS (
    UPDATE rooms_room SET schedule_version = schedule_version + 1,
                          schedule_changed_at = clock_timestamp()
    WHERE id = ANY(%s) RETURNING uuid
)
SELECT pg_notify(%s, uuid::text) FROM bumped
"""


def mark_rooms_changed(room_ids: Collection[int]) -> None:
    """Raise `schedule_version` of these rooms, store the instant, and notify the projectors.

    Call this function inside the transaction of the change: version and notification then commit
    together with the change. NOTIFY is only a hint; recovery compares versions. Call this function
    last in the transaction, because the stored instant stands for the instant of the commit.
    """
    if not room_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [sorted(room_ids), ROOM_CHANGED_CHANNEL])
