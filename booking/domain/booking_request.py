"""The input and the result of evaluating a booking against the rules of a room. Pure values."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.states import BookingState
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import Quota


@dataclass(frozen=True, slots=True)
class BookingRequest:
    """A request to book one room for one interval, for one person.

    `person` is None for an anonymous caller and for the system. If `is_manager` is true, broken
    rules do not refuse the booking; their codes become its flags. `replaces` has the ids of
    bookings that do not block this one: the booking that is changed, and the person's own holds.
    """

    interval: Interval
    person: UUID | None
    is_manager: bool = False
    attendees: int | None = None
    replaces: frozenset[UUID] = frozenset()
    # True for a booking that exists already: past, notice and step of its start are not checked.
    is_standing: bool = False


class ClosureFacts(NamedTuple):
    """An interval in which the room is out of service. `end` None: until further notice."""

    start: datetime
    end: datetime | None
    reason: str


class Question(NamedTuple):
    """A question to the database: the use that the person made of one quota in one period."""

    quota: Quota
    period: Interval


class Usage(NamedTuple):
    """The answer to a question: the person's bookings that begin in the period, and the minutes.

    `minutes` and `intervals` are the parts of bookings that lie in the period.
    """

    question: Question
    bookings: int
    minutes: float
    intervals: tuple[Interval, ...] = ()  # empty unless the quota has a window


@dataclass(frozen=True, slots=True)
class RoomContext:
    """What the snapshot has about one room and one request."""

    neighbours: tuple[BookingData, ...] = ()  # take their slots, in or near the interval
    closures: tuple[ClosureFacts, ...] = ()
    usage: tuple[Usage, ...] = ()


class Decision(NamedTuple):
    """How a booking that is allowed is stored."""

    state: BookingState
    takes_slot: bool
    lapses_at: datetime | None
    flags: tuple[str, ...] = ()
