"""Many dates judged in one go, each beside what is stored and the dates taken before it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from booking.domain.facts import BookingFacts
from booking.domain.request import ClosureFacts, Known, Usage
from booking.domain.rules import look_around
from booking.domain.rules.quotas import counted
from meeting_rooms.kernel.interval import Interval
from rooms.domain.rulebook import RoomRules

ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Neighbourhood:
    """Bookings by day, so that each of many dates meets only those near it."""

    usage: tuple[Usage, ...]
    closures: tuple[ClosureFacts, ...]
    _by_day: dict[date, list[BookingFacts]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, known: Known) -> "Neighbourhood":
        """Return what was seen, sorted by day."""
        found = cls(known.usage, known.closures)
        found._add(known.neighbours)
        return found

    def take(self, booking: BookingFacts, room: RoomRules) -> None:
        """Count this booking of the room as stored for the dates to come."""
        self.usage = counted(self.usage, booking.interval, room)
        self._add((booking,))

    def near(self, interval: Interval, room: RoomRules) -> Known:
        """Return what a booking of the room at this time has to do with."""
        around = look_around(interval, room)
        found = {
            other.id: other
            for day in _days(around)
            for other in self._by_day.get(day, ())
            if other.room_id in room.related and other.interval.overlaps(around)
        }
        return Known(tuple(found.values()), self.closures, self.usage)

    def _add(self, bookings: Iterable[BookingFacts]) -> None:
        for booking in bookings:
            for day in _days(booking.interval):
                self._by_day[day].append(booking)


def _days(interval: Interval) -> Iterator[date]:
    day = interval.start.date()
    while day <= interval.end.date():
        yield day
        day += ONE_DAY
