"""What could be booked instead of a slot that is taken. A read, built on the selectors.

Everything that is offered has passed the rules of its room, all but the person's quotas. Those who
lose a race for one slot ask the same at the same time, so the answer is found once and shared: per
slot, version of the building's rooms and of all rules, and couple of seconds.
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
MAX_JUDGED = 40  # free stretches of one room; a day has fewer
SEARCH_EITHER_SIDE = timedelta(hours=4)
KEPT_FOR_S = 2  # at most: nothing bumps a version when a rule's hour comes or a no-show lapses
MAX_KEPT = 500  # answers of up to six alternatives, about 10 KB each
PATIENCE_S = 10.0  # as long as a statement may take

VERSIONS = load_sql(__file__, "versions_of_a_building")


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


class _Found(NamedTuple):
    """Alternatives as found for one person; for anybody, unless `is_personal`."""

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

    Other rooms seat at least as many, the closest fit first. A suggestion is no promise. Without a
    `now` it is Postgres' own; the answer is of an instant up to KEPT_FOR_S before. Without a
    `person` the rules on who may book do not count. Raises NotFoundError for the room.
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
    """Return the time to search in the same room, None where it is over."""
    start, end = max(now, wanted.start - SEARCH_EITHER_SIDE), wanted.end + SEARCH_EITHER_SIDE
    return Interval(start, end) if start < end else None


def _other_times(
    here: RoomsNow, room: Room, asked: BookingRequest, window: Interval
) -> list[Alternative]:
    fits = nearest_fits(asked.interval, gaps(here.taken(room), window))[:MAX_JUDGED]
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
