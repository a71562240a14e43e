"""A local day of many rooms, as one read."""

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

# One document instead of thousands of rows: models of a day of 500 rooms take twice as long.
BOOKINGS = load_sql(__file__, "bookings_of_a_day")


@dataclass(frozen=True, slots=True)
class RoomDay:
    """One room's local day: its bounds as instants, 23 to 25 hours apart, and what lies in it."""

    room: Room
    zone: ZoneInfo
    day: Interval
    bookings: list[BookingData]
    closures: list[Closure]


def day_of_rooms(rooms: Iterable[Room], day: date, *, now: datetime) -> list[RoomDay]:
    """Return the day of each room in its own zone, in their order. Constant queries.

    The bookings of a hall are in the days of its parts, and theirs in its own, for they block it.
    """
    found = list(rooms)
    bounds = {zone: day_bounds(day, zone) for zone in {zone_of(room) for room in found}}
    if not bounds:
        return []
    whole = Interval(
        min(one.start for one in bounds.values()), max(one.end for one in bounds.values())
    )
    bookings = _bookings_of(found, whole, now)
    closures: dict[int, list[Closure]] = {}
    for closure in closures_during(found, whole.start, whole.end):
        closures.setdefault(closure.room_id, []).append(closure)
    return [_of_room(room, bounds, bookings.get(room.pk, []), closures) for room in found]


def _bookings_of(rooms: list[Room], whole: Interval, now: datetime) -> dict[int, list[BookingData]]:
    """Return by room id the bookings that take a part of it, earliest first."""
    blocked_by = rooms_sharing_floor(rooms)
    given = {
        "rooms": f"{{{','.join(map(str, blocked_by))}}}",
        "during": whole.as_range(),
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
