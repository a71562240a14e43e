"""A small campus in which generated requests meet real rooms, bookings and people."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from booking.commands.book_room import BookRooms, book_room
from booking.commands.cancel_booking import cancel_booking
from identity.models import Role, User
from identity.queries import actor_of
from identity.tests.factories import bearer, person
from meeting_rooms.http.schema_types import read_instant
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.interval import Interval
from rooms.tests.factories import building, floor, room

HOUR = timedelta(hours=1)


class World:
    """Rooms with bookings in every state, and a person of each role as caller."""

    def __init__(self) -> None:
        self.people = {role: person(role=role) for role in Role}
        self._headers = {role: bearer(who) for role, who in self.people.items()}
        self.start = SYSTEM_CLOCK.now().replace(minute=0, second=0, microsecond=0) + 24 * HOUR
        house = floor(building(slug="house"))
        self.rooms = [room(on=house, capacity=size) for size in (4, 8, 12)]
        self.bookings = [
            self._book(number, who, private=private)
            for number, (who, private) in enumerate(
                (who, private) for who in self.people.values() for private in (True, False)
            )
        ]
        cancelled = self._book(9, self.people[Role.STAFF], private=False)
        cancel_booking(actor=actor_of(self.people[Role.STAFF]), booking_id=cancelled)
        self.bookings.append(cancelled)

    def headers(self, role: Role) -> dict[str, str]:
        return self._headers[role]

    def insert_known_ids(self, case: Any) -> None:
        """Replace every second well-formed id by a known one, and times by times tomorrow."""
        for container in (case.path_parameters, case.query, case.body):
            if isinstance(container, dict):
                self._insert_into(container)

    def _insert_into(self, given: dict[str, Any]) -> None:
        ids: dict[str, Callable[[UUID], UUID]] = {
            "room": self._room,
            "room_id": self._room,
            "booking": self._booking,
            "booking_id": self._booking,
            "other": self._booking,
        }
        for name, value in given.items():
            if name in ids and (known := as_uuid(value)) is not None:
                given[name] = str(ids[name](known))
            elif name == "rooms" and isinstance(value, list):
                given[name] = [str(self._room(one)) if (one := as_uuid(v)) else v for v in value]
        if all(is_instant(given.get(name)) for name in ("starts_at", "ends_at")):
            length = len(given["starts_at"]) % 7
            given["starts_at"] = (self.start + length * HOUR).isoformat()
            given["ends_at"] = (self.start + (length + 1) * HOUR).isoformat()

    def _room(self, given: UUID) -> UUID:
        return self.rooms[given.int % 3].uuid if given.int % 2 else given

    def _booking(self, given: UUID) -> UUID:
        return self.bookings[given.int % len(self.bookings)] if given.int % 2 else given

    def _book(self, number: int, who: User, *, private: bool) -> UUID:
        interval = Interval(self.start + number * HOUR, self.start + (number + 1) * HOUR)
        place = self.rooms[number % 3].uuid
        wanted = BookRooms.one(place, interval, f"Meeting {number}", private)
        return book_room(actor=actor_of(who), wanted=wanted).id


def is_instant(value: Any) -> bool:
    try:
        return isinstance(value, str) and read_instant(value) is not None
    except (ValueError, MeetingRoomsError):
        return False


def as_uuid(value: Any) -> UUID | None:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        return None
