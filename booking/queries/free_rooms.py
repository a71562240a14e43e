"""Which rooms can be had, and for how long. A read, built on the selectors and the rules.

A room is offered where its rules would take a booking, so that what is offered can be booked:
opening hours, gaps and closures count here as they do there. Quotas are left out: they are the
person's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, ClosureFacts, RoomContext
from booking.domain.policy_checks import evaluate, interval_to_read
from booking.repository import bookings_of
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError, PermissionDeniedError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy
from rooms.domain.opening_hours import covered_until
from rooms.models import Room
from rooms.policies.cache import current_room_policies
from rooms.queries import closures_during

LOOK_AHEAD = timedelta(hours=24)  # nothing is promised beyond
REFUSALS = (ConflictError, InvalidCommandError, PermissionDeniedError)  # what `evaluate` raises


@dataclass(frozen=True, slots=True)
class RoomsNow:
    """Rooms with their rules, bookings and closures around a stretch of time, as of `now`."""

    rooms: list[Room]
    rules: dict[UUID, RoomPolicy]
    bookings: dict[int, list[BookingData]]
    closures: dict[int, list[ClosureFacts]]
    now: datetime

    def allows(self, room: Room, wanted: Interval, asked: BookingRequest) -> bool:
        """Say whether the rules of the room would take this booking."""
        known = RoomContext(
            tuple(self.bookings.get(room.pk, ())), tuple(self.closures.get(room.pk, ()))
        )
        try:
            evaluate(replace(asked, interval=wanted), self.rules[room.uuid], known, now=self.now)
        except REFUSALS:
            return False
        return True

    def taken(self, room: Room) -> list[Interval]:
        """Return what is booked or closed, with the room's gap kept on both sides of bookings."""
        gap = timedelta(minutes=self.rules[room.uuid].policy.gap_minutes)
        booked = [
            Interval(other.interval.start - gap, other.interval.end + gap)
            for other in self.bookings.get(room.pk, ())
        ]
        closed = [
            Interval(closure.start, closure.end or datetime.max.replace(tzinfo=self.now.tzinfo))
            for closure in self.closures.get(room.pk, ())
        ]
        return booked + closed

    def free_until(self, room: Room, start: datetime) -> datetime:
        """Return until when the room stays free and open from `start` on, a day at the most."""
        ahead = [taken.start for taken in self.taken(room) if taken.end > start]
        free = max(start, min([*ahead, start + LOOK_AHEAD]))
        if free == start:
            return start
        rules = self.rules[room.uuid]
        return min(free, covered_until(rules.policy, rules.zone, Interval(start, free)))


@dataclass(frozen=True, slots=True)
class FreeRoom:
    """A room that can be had, and until when it stays free and open."""

    room: Room
    free_until: datetime


def rooms_now(rooms: Iterable[Room], window: Interval, *, now: datetime) -> RoomsNow:
    """Return what the rules need to judge these rooms anywhere in the window. Constant queries."""
    found = list(rooms)
    rules = {known.uuid: known for known in current_room_policies([room.uuid for room in found])}
    stretches = [window, *(interval_to_read(window, known) for known in rules.values())]
    around = Interval(min(s.start for s in stretches), max(s.end for s in stretches))
    bookings = bookings_of(found, around, now=now)
    closures: dict[int, list[ClosureFacts]] = {}
    for closure in closures_during(found, window.start, window.end):
        fact = ClosureFacts(closure.starts_at, closure.ends_at, closure.reason)
        closures.setdefault(closure.room_id, []).append(fact)
    facts = {key: [booking.as_data() for booking in some] for key, some in bookings.items()}
    return RoomsNow(found, rules, facts, closures, now)


def free_rooms(
    rooms: Iterable[Room], wanted: Interval, asked: BookingRequest, *, now: datetime
) -> list[FreeRoom]:
    """Return the rooms that would take this booking, the tightest fit first.

    Fit: fewest seats, then whichever stays free the shortest while still being enough, so that long
    stretches stay whole for those who need them; then the order of the boards.
    """
    window = Interval(wanted.start, max(wanted.end, wanted.start + LOOK_AHEAD))
    found = rooms_now(rooms, window, now=now)
    free = [
        FreeRoom(room, found.free_until(room, wanted.start))
        for room in found.rooms
        if found.allows(room, wanted, asked)
    ]
    return sorted(free, key=lambda one: (one.room.capacity, one.free_until))
