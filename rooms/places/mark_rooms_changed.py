"""Command: tell the live side that what some rooms' screens show has changed."""

from collections.abc import Collection

from django.db import connection

ROOM_CHANGED_CHANNEL = "room_changed"  # LISTEN/NOTIFY; the payload is the room's uuid

# The booking commands do the same inside their own statements (`booking/transaction/sql`).
_MARK = """
WITH bumped AS (
    UPDATE rooms_room SET schedule_version = schedule_version + 1,
                          schedule_changed_at = clock_timestamp()
    WHERE id = ANY(%s) RETURNING uuid
)
SELECT pg_notify(%s, uuid::text) FROM bumped
"""


def mark_rooms_changed(room_ids: Collection[int]) -> None:
    """Raise `schedule_version` of these rooms, note the instant, and wake the projectors.

    Call it inside the transaction of the change: the version and the wake-up then commit with it
    or not at all. NOTIFY is only a hint; the version is what recovery looks at. Call it last: the
    instant stands for the commit's, and lags it by whatever the transaction still does.
    """
    if not room_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [sorted(room_ids), ROOM_CHANGED_CHANNEL])
