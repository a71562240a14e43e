"""New bookings, and bookings at another place or time, as values. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from booking.domain.facts import BookingFacts
from booking.domain.request import Judgement
from booking.domain.states import BookingState
from booking.domain.titles import clean_title
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.interval import Interval
from rooms.domain.rulebook import RoomRules

WALK_UP = "walk_up"  # the flag of what was booked at the door, by nobody in particular


@dataclass(frozen=True, slots=True)
class Details:
    """What a booking is about and whose it is."""

    title: str
    organizer: str
    organizer_id: UUID | None
    private: bool = False
    attendees: int | None = None

    @classmethod
    def of(
        cls, actor: Actor, title: str, *, private: bool = False, attendees: int | None = None
    ) -> "Details":
        """Return the details of what the actor books for themselves."""
        return cls(title, actor.name, actor.user_id, private, attendees)


Described = TypeVar("Described", Details, BookingFacts)


@dataclass(frozen=True, slots=True)
class DetailsEdit:
    """What is to be different in what a booking is about. None: as it is."""

    title: str | None = None
    private: bool | None = None
    attendees: int | None = None

    def of(self, described: Described) -> Described:
        """Return it with what is asked for, otherwise as it was. Raises as `clean_title` does."""
        return replace(
            described,
            title=described.title if self.title is None else clean_title(self.title),
            private=described.private if self.private is None else self.private,
            attendees=described.attendees if self.attendees is None else self.attendees,
        )


def draft(
    room: RoomRules, interval: Interval, judged: Judgement, details: Details, *, now: datetime
) -> BookingFacts:
    """Return a new booking of the room."""
    return BookingFacts(
        id=uuid4(),
        room=room.uuid,
        room_id=room.id,
        interval=interval,
        local_start=local_time(interval.start, room.zone),
        local_end=local_time(interval.end, room.zone),
        title=details.title,
        organizer=details.organizer,
        organizer_id=details.organizer_id,
        private=details.private,
        state=judged.state,
        takes_slot=judged.takes_slot,
        lapses_at=judged.lapses_at,
        created_at=now,
        attendees=details.attendees,
        flags=judged.flags,
    )


def moved(booking: BookingFacts, room: RoomRules, interval: Interval) -> BookingFacts:
    """Return the booking in this room at this time, otherwise as it was."""
    return replace(
        booking,
        room=room.uuid,
        room_id=room.id,
        interval=interval,
        local_start=local_time(interval.start, room.zone),
        local_end=local_time(interval.end, room.zone),
    )


def flagged(booking: BookingFacts, judged: Judgement) -> BookingFacts:
    """Return a stored booking with the flags of its new judgement; a walk-up remains one."""
    lasting = tuple(flag for flag in booking.flags if flag == WALK_UP)
    return replace(booking, flags=(*judged.flags, *lasting))


def as_judged(booking: BookingFacts, judged: Judgement) -> BookingFacts:
    """Return a stored booking as its new judgement says it is stored."""
    return replace(
        flagged(booking, judged),
        state=judged.state,
        takes_slot=judged.takes_slot,
        lapses_at=judged.lapses_at,
    )


def without_slot(booking: BookingFacts, state: BookingState) -> BookingFacts:
    """Return the booking in a state that gives the slot back."""
    return replace(booking, state=state, takes_slot=False, lapses_at=None)


def local_time(instant: datetime, zone: ZoneInfo) -> str:
    """Return the wall time as bookings keep it: ISO, without an offset."""
    return instant.astimezone(zone).replace(tzinfo=None).isoformat()
