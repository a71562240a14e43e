"""Many dates judged in one go, each beside what is stored and the dates taken before it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from booking.domain.facts import BookingFacts
from booking.domain.request import ClosureFacts, Known, Usage
from booking.domain.rules import look_around
from meeting_rooms.kernel.interval import Interval
from rooms.domain.rulebook import RoomRules

ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Neighbourhood:
    """Bookings by day, so that each of many dates meets only those near it."""

    usage: tuple[Usage, ...]
    closures: tuple[ClosureFacts, ...]
    taken: list[BookingFacts] = field(default_factory=list)  # by the command so far
    _by_day: dict[date, list[BookingFacts]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, known: Known) -> "Neighbourhood":
        """Return what was seen, sorted by day."""
        found = cls(known.usage, known.closures)
        found._add(known.neighbours)
        return found

    def take(self, booking: BookingFacts) -> None:
        """Count this booking as stored for the dates to come."""
        self.taken.append(booking)
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
        return Known(tuple(found.values()), self.closures, tuple(map(self._with_taken, self.usage)))

    def _add(self, bookings: Iterable[BookingFacts]) -> None:
        for booking in bookings:
            for day in _days(booking.interval):
                self._by_day[day].append(booking)

    def _with_taken(self, usage: Usage) -> Usage:
        period = usage.question.period
        within = [b.interval for b in self.taken if b.interval.overlaps(period)]
        if not within:
            return usage
        parts = tuple(_clipped(interval, period) for interval in within)
        return usage._replace(
            bookings=usage.bookings + sum(interval.start in period for interval in within),
            minutes=usage.minutes + sum(part.duration.total_seconds() / 60 for part in parts),
            stretches=usage.stretches + parts,
        )


def _clipped(interval: Interval, period: Interval) -> Interval:
    return Interval(max(interval.start, period.start), min(interval.end, period.end))


def _days(interval: Interval) -> Iterator[date]:
    day = interval.start.date()
    while day <= interval.end.date():
        yield day
        day += ONE_DAY
