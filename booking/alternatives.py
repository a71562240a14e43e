"""What could be booked instead of a slot that is taken. A read, built on the selectors."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from booking.domain.gaps import gaps, nearest_fits
from booking.selectors import rooms_free_during, unavailable_intervals
from meeting_rooms.kernel.interval import Interval
from rooms.domain.opening import is_open_throughout
from rooms.models import Room
from rooms.rulebooks import current_rules_of
from rooms.selectors import RoomFilter, find_rooms, get_room

MAX_ALTERNATIVES = 3  # of each kind
SEARCH_EITHER_SIDE = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Alternative:
    """A room and a time that were free when asked."""

    room: Room
    interval: Interval


def suggest_alternatives(room_uuid: UUID, wanted: Interval, *, now: datetime) -> list[Alternative]:
    """Return the nearest times in this room, then other rooms of the building at the same time.

    Other rooms seat at least as many, the closest fit first. A suggestion is no promise.
    """
    room = get_room(room_uuid)
    return [*_other_times(room, wanted, now), *_other_rooms(room, wanted, now)]


def _other_times(room: Room, wanted: Interval, now: datetime) -> list[Alternative]:
    window_start = max(now, wanted.start - SEARCH_EITHER_SIDE)
    window = Interval(window_start, wanted.end + SEARCH_EITHER_SIDE)
    taken = unavailable_intervals([room], window, now=now).get(room.pk, [])
    fits = [Alternative(room, fit) for fit in nearest_fits(wanted, gaps(taken, window))]
    return _open(fits)[:MAX_ALTERNATIVES]


def _other_rooms(room: Room, wanted: Interval, now: datetime) -> list[Alternative]:
    building = room.floor.building.slug
    found = find_rooms(RoomFilter(building=building, min_capacity=room.capacity))
    candidates = found.exclude(pk=room.pk)
    free = rooms_free_during(candidates, wanted, now=now)
    free.sort(key=lambda other: (other.floor_id != room.floor_id, other.capacity, other.name))
    return _open([Alternative(other, wanted) for other in free])[:MAX_ALTERNATIVES]


def _open(fits: list[Alternative]) -> list[Alternative]:
    """Return those that lie in the opening hours of their rooms."""
    rules = current_rules_of([fit.room.uuid for fit in fits])
    return [
        fit
        for fit, room in zip(fits, rules, strict=True)
        if is_open_throughout(room.book, room.zone, fit.interval)
    ]
