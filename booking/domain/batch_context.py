"""The bookings and the usage that each of many dates is evaluated with. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import ClosureFacts, Question, RoomContext, Usage
from booking.domain.policy_checks import interval_to_read
from booking.domain.policy_checks.quotas import counted, questions
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy

ONE_DAY = timedelta(days=1)
MAX_SORTED = timedelta(days=7)  # a longer booking is compared with every date: few are that long


@dataclass(slots=True)
class BatchContext:
    """Bookings by day and usage by question: a date is compared only with nearby bookings.

    A command has one BatchContext for all its rooms, because a date in one room counts for the
    quotas of other rooms.
    """

    usage: dict[Question, Usage]
    closures: Mapping[int, Sequence[ClosureFacts]]  # by room id
    _by_day: dict[date, list[BookingData]] = field(default_factory=lambda: defaultdict(list))
    _long: list[BookingData] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        neighbours: Iterable[BookingData],
        closures: Mapping[int, Sequence[ClosureFacts]],
        usage: Iterable[Usage],
    ) -> "BatchContext":
        """Return the context of a snapshot: its bookings, closures and usage."""
        found = cls({one.question: one for one in usage}, closures)
        found._add(neighbours)
        return found

    def take(self, booking: BookingData, room: RoomPolicy) -> None:
        """Add a booking of the room: the dates that follow are evaluated as if it were stored."""
        self.count(booking.interval, room)
        self._add((booking,))

    def count(self, interval: Interval, room: RoomPolicy) -> None:
        """Add `interval` to the usage that the dates that follow are evaluated with."""
        after = counted(tuple(self.usage.values()), interval, room)
        self.usage = {one.question: one for one in after}

    def near(self, interval: Interval, room: RoomPolicy) -> RoomContext:
        """Return the context in which a booking of the room at this interval is evaluated."""
        around = interval_to_read(interval, room)
        by_day = (other for day in _days(around) for other in self._by_day.get(day, ()))
        found = {
            other.id: other
            for other in chain(by_day, self._long)
            if other.room_id in room.related and other.interval.overlaps(around)
        }
        closures = tuple(c for pk in room.related for c in self.closures.get(pk, ()))
        usage = tuple(self.usage[q] for q in questions(interval, room) if q in self.usage)
        return RoomContext(tuple(found.values()), closures, usage)

    def _add(self, bookings: Iterable[BookingData]) -> None:
        for booking in bookings:
            if booking.interval.duration > MAX_SORTED:
                self._long.append(booking)
                continue
            for day in _days(booking.interval):
                self._by_day[day].append(booking)


def _days(interval: Interval) -> Iterator[date]:
    day = interval.start.date()
    while day <= interval.end.date():
        yield day
        day += ONE_DAY
