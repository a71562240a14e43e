"""Query: which rooms can be booked, and until when.

A room is free if its rules accept the booking: opening hours, gaps and closures are checked as for
a command, so a free room can be booked. Only the quotas of the person are not checked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, ClosureFacts, RoomContext
from booking.domain.free_time import gaps, merge
from booking.domain.policy_checks import (
    bookable_times,
    evaluate,
    free_until,
    interval_to_read,
    open_times,
    own_holds,
    taken_times,
)
from booking.repository import bookings_of, closures_of
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError, PermissionDeniedError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy
from rooms.models import Room
from rooms.policies.cache import current_room_policies

LOOK_AHEAD = timedelta(hours=24)  # `free_until` is never later than this after the start
REFUSALS = (ConflictError, InvalidCommandError, PermissionDeniedError)  # the errors of `evaluate`


@dataclass(frozen=True, slots=True)
class RoomsNow:
    """Rooms with their rules, and with bookings and closures around an interval, at `now`."""

    rooms: list[Room]
    rules: dict[UUID, RoomPolicy]
    bookings: dict[int, list[BookingData]]
    closures: dict[int, list[ClosureFacts]]
    now: datetime

    def known(self, room: Room) -> RoomContext:
        """Return the context for evaluating a booking of the room."""
        return RoomContext(
            tuple(self.bookings.get(room.pk, ())), tuple(self.closures.get(room.pk, ()))
        )

    def allows(self, room: Room, wanted: Interval, asked: BookingRequest) -> bool:
        """Return whether the rules of the room accept a booking of `wanted`.

        The person's own holds of the slot do not block the booking.
        """
        known = self.known(room)
        own = {hold.id for hold in own_holds(known.neighbours, wanted, asked.person)}
        request = replace(asked, interval=wanted, replaces=asked.replaces | own)
        try:
            evaluate(request, self.rules[room.uuid], known, now=self.now)
        except REFUSALS:
            return False
        return True

    def taken(self, room: Room) -> list[Interval]:
        """Return the intervals that bookings, their gaps and closures take."""
        return taken_times(self.rules[room.uuid], self.known(room))

    def known_to(self, room: Room, person: UUID | None, interval: Interval) -> RoomContext:
        """Return the context of the room without the person's own holds in `interval`."""
        known = self.known(room)
        own = own_holds(known.neighbours, interval, person)
        return replace(known, neighbours=tuple(o for o in known.neighbours if o not in own))

    def free_until(self, room: Room, start: datetime, person: UUID | None = None) -> datetime:
        """Return until when the room is free from `start` on; LOOK_AHEAD is the maximum.

        The person's own holds count as free.
        """
        before = start + LOOK_AHEAD
        known = self.known_to(room, person, Interval(start, before))
        return free_until(self.rules[room.uuid], known, start, before)


@dataclass(frozen=True, slots=True)
class RoomTimes:
    """The intervals in which a room is busy, closed, and free to book; each in order."""

    busy: list[Interval]
    closed: list[Interval]
    free: list[Interval]


def room_times(room: Room, interval: Interval, *, person: UUID | None, now: datetime) -> RoomTimes:
    """Return when the room is busy, closed and free in `interval`.

    The person's own holds count as free.
    """
    found = rooms_now([room], interval, now=now)
    rules, known = found.rules[room.uuid], found.known_to(room, person, interval)
    booked = [other.interval for other in known.neighbours if other.interval.overlaps(interval)]
    out_of_service = [Interval(one.start, one.end or interval.end) for one in known.closures]
    return RoomTimes(
        busy=merge([*booked, *out_of_service]),
        closed=gaps(open_times(rules, interval), interval),
        free=bookable_times(rules, known, interval, now=now),
    )


@dataclass(frozen=True, slots=True)
class FreeRoom:
    """A room that can be booked, and until when it stays free and open."""

    room: Room
    free_until: datetime


def rooms_now(rooms: Iterable[Room], window: Interval, *, now: datetime) -> RoomsNow:
    """Return all that is needed to evaluate bookings of these rooms within the window.

    The number of SQL statements does not depend on the rooms.
    """
    found = list(rooms)
    rules = {known.uuid: known for known in current_room_policies([room.uuid for room in found])}
    intervals = [window, *(interval_to_read(window, known) for known in rules.values())]
    around = Interval(min(i.start for i in intervals), max(i.end for i in intervals))
    bookings = bookings_of(found, around, now=now)
    closures = {
        key: [ClosureFacts(one.starts_at, one.ends_at, one.reason) for one in some]
        for key, some in closures_of(found, window).items()
    }
    facts = {key: [booking.as_data() for booking in some] for key, some in bookings.items()}
    return RoomsNow(found, rules, facts, closures, now)


def free_rooms(
    rooms: Iterable[Room], wanted: Interval, asked: BookingRequest, *, now: datetime
) -> list[FreeRoom]:
    """Return the rooms whose rules accept this booking, the best fit first.

    The order is: fewest seats; then the earliest `free_until`, so that long free intervals stay
    available for long bookings; then the order of the boards.
    """
    window = Interval(wanted.start, max(wanted.end, wanted.start + LOOK_AHEAD))
    found = rooms_now(rooms, window, now=now)
    free = [
        FreeRoom(room, found.free_until(room, wanted.start, asked.person))
        for room in found.rooms
        if found.allows(room, wanted, asked)
    ]
    return sorted(free, key=lambda one: (one.room.capacity, one.free_until))
