"""A peer: answers the day of a building with one query and `orjson`.

An ASGI application for Daphne without Django. It answers `/<anything>/<day>?building=<slug>` with
the rooms and the bookings that take a slot. It checks no token and no permission to read, and
knows no closures and no divisible halls.
"""

import os
from typing import Any
from urllib.parse import parse_qs

import orjson
import psycopg
from psycopg.rows import TupleRow

QUERY = """
SELECT room.uuid, room.name, building.timezone,
       booking.id, room.uuid, lower(booking.during), upper(booking.during), booking.local_start,
       booking.local_end, booking.title, booking.organizer_name, booking.is_private, booking.state,
       booking.attendees, CASE booking.state WHEN 'confirmed' THEN booking.lapses_at END,
       CASE booking.state WHEN 'held' THEN booking.lapses_at END, booking.version,
       booking.group_id, booking.series_id, booking.recurrence_id, booking.flags
FROM rooms_building AS building
JOIN rooms_floor AS floor ON floor.building_id = building.id
JOIN rooms_room AS room ON room.floor_id = floor.id
LEFT JOIN booking_booking AS booking ON booking.room_id = room.id AND booking.takes_slot
     AND booking.during && tstzrange(
         %(day)s::date::timestamp AT TIME ZONE building.timezone,
         (%(day)s::date + 1)::timestamp AT TIME ZONE building.timezone)
WHERE building.slug = %(building)s
ORDER BY floor.level, room.id, booking.during
"""
# The members of a booking in the API of the product.
BOOKING = ("id", "room", "starts_at", "ends_at", "local_start", "local_end", "title", "organizer",
           "private", "state", "attendees", "check_in_until", "held_until", "version", "group",
           "series", "recurrence_id", "flags")  # fmt: skip
_connections: list[psycopg.AsyncConnection[TupleRow]] = []


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ARG001
    """Answer one request."""
    if not _connections:
        url = os.environ["DATABASE_URL"]
        _connections.append(await psycopg.AsyncConnection.connect(url, autocommit=True))
    day = scope["path"].rpartition("/")[2]
    [building] = parse_qs(scope["query_string"].decode())["building"]
    cursor = await _connections[0].execute(QUERY, {"day": day, "building": building})
    body = orjson.dumps({"date": day, "rooms": _rooms(await cursor.fetchall())})
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _rooms(rows: list[TupleRow]) -> list[dict[str, Any]]:
    rooms: dict[Any, dict[str, Any]] = {}
    for uuid, name, timezone, *booking in rows:
        room = rooms.get(uuid)
        if room is None:
            room = rooms[uuid] = {"room": uuid, "name": name, "timezone": timezone, "bookings": []}
        if booking[0] is not None:
            room["bookings"].append(dict(zip(BOOKING, booking, strict=True)))
    return [*rooms.values()]
