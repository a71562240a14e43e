"""Query: the bookings and closures of many rooms on one local day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from booking.domain.booking_data import BookingData
from booking.transaction.prepared_sql import execute_json, load_sql
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import day_bounds
from rooms.models import Closure, Room
from rooms.queries import closures_during, rooms_sharing_floor, zone_of

# Returns one JSON document: model instances of a day of 500 rooms would take twice as long.
BOOKINGS = load_sql(__file__, "bookings_of_a_day")


@dataclass(frozen=True, slots=True)
class RoomDay:
    """One local day of a room, with its bookings and closures. A day has 23 to 25 hours."""

    room: Room
    zone: ZoneInfo
    day: Interval
    bookings: list[BookingData]
    closures: list[Closure]


def day_of_rooms(rooms: Iterable[Room], day: date, *, now: datetime) -> list[RoomDay]:
    """Return the local day of each room in the room's zone, in the order of `rooms`.

    The day of a hall also has the bookings of its parts, and the day of a part those of its hall,
    because they block each other. The number of SQL statements does not depend on the rooms.
    """
    found = list(rooms)
    bounds = {zone: day_bounds(day, zone) for zone in {zone_of(room) for room in found}}
    if not bounds:
        return []
    all_days = Interval(
        min(one.start for one in bounds.values()), max(one.end for one in bounds.values())
    )
    bookings = _bookings_of(found, all_days, now)
    closures: dict[int, list[Closure]] = {}
    for closure in closures_during(found, all_days.start, all_days.end):
        closures.setdefault(closure.room_id, []).append(closure)
    return [_of_room(room, bounds, bookings.get(room.pk, []), closures) for room in found]


def _bookings_of(
    rooms: list[Room], during: Interval, now: datetime
) -> dict[int, list[BookingData]]:
    """Return the bookings that overlap `during`, by the id of each room they block, in order."""
    blocked_by = rooms_sharing_floor(rooms)
    given = {
        "rooms": f"{{{','.join(map(str, blocked_by))}}}",
        "during": during.as_range(),
        "now": now.isoformat(),
    }
    bookings: dict[int, list[BookingData]] = {}
    for row in execute_json(BOOKINGS, given):
        facts = BookingData.from_row(row)
        for room_id in blocked_by[facts.room_id]:
            bookings.setdefault(room_id, []).append(facts)
    return bookings


def _of_room(
    room: Room,
    bounds: dict[ZoneInfo, Interval],
    bookings: list[BookingData],
    closures: dict[int, list[Closure]],
) -> RoomDay:
    zone = zone_of(room)
    day = bounds[zone]
    return RoomDay(
        room=room,
        zone=zone,
        day=day,
        bookings=[booking for booking in bookings if booking.interval.overlaps(day)],
        closures=[
            closure
            for closure in closures.get(room.pk, ())
            if closure.starts_at < day.end
            and (closure.ends_at is None or closure.ends_at > day.start)
        ],
    )
