"""What could be booked instead of a slot that is taken. A read, built on the selectors.

Everything that is offered has passed the rules of its room, all but the person's quotas.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from booking.domain.booking_request import BookingRequest
from booking.domain.free_time import gaps, nearest_fits
from booking.queries.free_rooms import RoomsNow, rooms_now
from meeting_rooms.kernel.interval import Interval
from rooms.models import Room
from rooms.queries import RoomFilter, find_rooms, get_room

MAX_ALTERNATIVES = 3  # of each kind
MAX_JUDGED = 40  # free stretches of one room; a day has fewer
SEARCH_EITHER_SIDE = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Alternative:
    """A room and a time that were free when asked."""

    room: Room
    interval: Interval

    def as_json(self) -> dict[str, Any]:
        """Return it as refusals and answers show it."""
        return {
            "room": str(self.room.uuid),
            "name": self.room.name,
            "starts_at": self.interval.start.isoformat(),
            "ends_at": self.interval.end.isoformat(),
        }


def suggest_alternatives(
    room_uuid: UUID, wanted: Interval, *, now: datetime, request: BookingRequest | None = None
) -> list[Alternative]:
    """Return the nearest times in this room, then other rooms of the building at the same time.

    Other rooms seat at least as many, the closest fit first. A suggestion is no promise.
    """
    room = get_room(room_uuid)
    asked = request or BookingRequest(wanted, person=None)
    return [*_other_times(room, asked, wanted, now), *_other_rooms(room, asked, wanted, now)]


def _other_times(
    room: Room, asked: BookingRequest, wanted: Interval, now: datetime
) -> list[Alternative]:
    window_start = max(now, wanted.start - SEARCH_EITHER_SIDE)
    window_end = wanted.end + SEARCH_EITHER_SIDE
    if window_start >= window_end:
        return []
    window = Interval(window_start, window_end)
    here = rooms_now([room], window, now=now)
    fits = nearest_fits(wanted, gaps(here.taken(room), window))[:MAX_JUDGED]
    return _allowed(here, [Alternative(room, fit) for fit in fits], asked)


def _other_rooms(
    room: Room, asked: BookingRequest, wanted: Interval, now: datetime
) -> list[Alternative]:
    building = room.floor.building.slug
    others = find_rooms(RoomFilter(building=building, min_capacity=room.capacity))
    found = rooms_now(others.exclude(pk=room.pk), wanted, now=now)
    by_fit = sorted(
        found.rooms,
        key=lambda other: (other.floor_id != room.floor_id, other.capacity, other.name, other.pk),
    )
    return _allowed(found, [Alternative(other, wanted) for other in by_fit], asked)


def _allowed(
    found: RoomsNow, candidates: Sequence[Alternative], asked: BookingRequest
) -> list[Alternative]:
    allowed: list[Alternative] = []
    for candidate in candidates:
        if found.allows(candidate.room, candidate.interval, asked):
            allowed.append(candidate)
        if len(allowed) == MAX_ALTERNATIVES:
            break
    return allowed
