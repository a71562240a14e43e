"""Query: what can be booked instead of a slot that is taken.

Each alternative passes the rules of its room, except the quotas of the person. Many people may lose
the race for one slot and ask for its alternatives at the same time. So an answer is computed once
and shared between callers with the same slot, the same version of the building's rooms and of all
policies, and the same period of KEPT_FOR_S seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from booking.domain.booking_request import BookingRequest
from booking.domain.free_time import gaps, nearest_fits
from booking.queries.free_rooms import RoomsNow, rooms_now
from booking.transaction.prepared_sql import execute_json, load_sql
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.shared_results import SharedResults
from rooms.domain.effective_policy import BookableBy
from rooms.models import Room
from rooms.queries import RoomFilter, find_rooms, get_room

MAX_ALTERNATIVES = 3  # of each kind
MAX_EVALUATED = 40  # free intervals of one room; a day has fewer
SEARCH_EITHER_SIDE = timedelta(hours=4)  # before and after the slot: about half a working day
KEPT_FOR_S = 2  # an answer may change without a new version, such as when a booking lapses
MAX_KEPT = 500  # answers of up to six alternatives, about 10 KB each
PATIENCE_S = 10.0  # the time limit of a statement

VERSIONS = load_sql(__file__, "versions_of_a_building")


@dataclass(frozen=True, slots=True)
class Alternative:
    """A room and a time that could be booked when the query ran."""

    room: Room
    interval: Interval

    def as_json(self) -> dict[str, Any]:
        """Return the alternative as refusals and answers show it, JSON-ready."""
        return {
            "room": str(self.room.uuid),
            "name": self.room.name,
            "starts_at": self.interval.start.isoformat(),
            "ends_at": self.interval.end.isoformat(),
        }


class _Found(NamedTuple):
    """Alternatives found for `person`; they hold for everyone unless `is_personal`."""

    alternatives: list[Alternative]
    person: UUID | None
    is_personal: bool


_shared: SharedResults[_Found] = SharedResults(max_kept=MAX_KEPT, patience_s=PATIENCE_S)


def suggest_alternatives(
    room_uuid: UUID,
    wanted: Interval,
    *,
    person: UUID | None = None,
    attendees: int | None = None,
    now: datetime | None = None,
) -> list[Alternative]:
    """Return the nearest times in this room, then other rooms of the building at the same time.

    Other rooms have at least as many seats; rooms of the same floor come first, then small rooms.
    An alternative is not reserved: use a hold to reserve it. `now` defaults to the clock of
    Postgres, and the answer may be up to KEPT_FOR_S old. Without a `person` the rules about who may
    book are not checked.

    Raises NotFoundError if there is no such room.
    """
    given = {"room": room_uuid, "now": now}
    instant, *versions = execute_json(VERSIONS, given)
    at = datetime.fromisoformat(instant).astimezone(UTC)
    asked = BookingRequest(wanted, person, attendees=attendees)

    def find() -> _Found:
        return _find(room_uuid, asked, now=at)

    key = (room_uuid, wanted, attendees, *versions, at.timestamp() // KEPT_FOR_S)
    found = _shared.get(key, find)
    if found.is_personal and found.person != person:
        found = _shared.get((*key, person), find)
    return found.alternatives


def _find(room_uuid: UUID, asked: BookingRequest, *, now: datetime) -> _Found:
    room, wanted = get_room(room_uuid), asked.interval
    building, seats = room.floor.building.slug, room.capacity
    others = find_rooms(RoomFilter(building=building, min_capacity=seats)).exclude(pk=room.pk)
    there = rooms_now(others, wanted, now=now)
    window = _window(wanted, now)
    here = rooms_now([room], window or wanted, now=now)
    times = _other_times(here, room, asked, window) if window else []
    rules = [*here.rules.values(), *there.rules.values()]
    is_personal = any(each.policy.bookable_by is not BookableBy.EVERYONE for each in rules)
    return _Found([*times, *_other_rooms(there, room, asked)], asked.person, is_personal)


def _window(wanted: Interval, now: datetime) -> Interval | None:
    """Return the interval to search in the same room; None if it is over."""
    start, end = max(now, wanted.start - SEARCH_EITHER_SIDE), wanted.end + SEARCH_EITHER_SIDE
    return Interval(start, end) if start < end else None


def _other_times(
    here: RoomsNow, room: Room, asked: BookingRequest, window: Interval
) -> list[Alternative]:
    fits = nearest_fits(asked.interval, gaps(here.taken(room), window))[:MAX_EVALUATED]
    return _allowed(here, [Alternative(room, fit) for fit in fits], asked)


def _other_rooms(there: RoomsNow, room: Room, asked: BookingRequest) -> list[Alternative]:
    by_fit = sorted(
        there.rooms,
        key=lambda other: (other.floor_id != room.floor_id, other.capacity, other.name, other.pk),
    )
    return _allowed(there, [Alternative(other, asked.interval) for other in by_fit], asked)


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
