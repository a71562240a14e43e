"""What is asked for and what is known when a room's rules are applied. Pure values."""

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
    """One room for one stretch, for one person.

    `is_manager` persons override rules, and the booking is flagged with each. `replaces` are the
    bookings that give way: the one being changed, the person's own holds.
    """

    interval: Interval
    person: UUID | None
    is_manager: bool = False
    attendees: int | None = None
    replaces: frozenset[UUID] = frozenset()
    is_standing: bool = False  # it was booked before: neither past, notice nor start are asked anew


class ClosureFacts(NamedTuple):
    """A stretch out of service. `end` None: until further notice."""

    start: datetime
    end: datetime | None
    reason: str


class Question(NamedTuple):
    """How much a person has booked within one period of one quota."""

    quota: Quota
    period: Interval


class Usage(NamedTuple):
    """The answer: bookings that begin in the period, and the stretches of it that are booked."""

    question: Question
    bookings: int
    minutes: float
    stretches: tuple[Interval, ...] = ()  # only where the quota has a window


@dataclass(frozen=True, slots=True)
class RoomContext:
    """What the store said under the room's lock."""

    neighbours: tuple[BookingData, ...] = ()  # that take a part of the window, at `now`
    closures: tuple[ClosureFacts, ...] = ()
    usage: tuple[Usage, ...] = ()


class Decision(NamedTuple):
    """How a request that is allowed is stored."""

    state: BookingState
    takes_slot: bool
    lapses_at: datetime | None
    flags: tuple[str, ...] = ()
