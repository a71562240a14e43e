"""Functions that return a new booking, or a changed copy of a booking. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import Decision
from booking.domain.states import BookingState
from booking.domain.titles import clean_title
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy

WALK_UP = "walk_up"  # the flag of a booking made at the door, which has no organizer


@dataclass(frozen=True, slots=True)
class Details:
    """Title, organizer, privacy and number of attendees of a booking."""

    title: str
    organizer: str
    organizer_id: UUID | None
    private: bool = False
    attendees: int | None = None

    @classmethod
    def of(
        cls, actor: Actor, title: str, *, private: bool = False, attendees: int | None = None
    ) -> "Details":
        """Return the details of a booking whose organizer is the actor."""
        return cls(title, actor.name, actor.user_id, private, attendees)


Described = TypeVar("Described", Details, BookingData)


@dataclass(frozen=True, slots=True)
class DetailsEdit:
    """New details of a booking. None: the value stays as it is."""

    title: str | None = None
    private: bool | None = None
    attendees: int | None = None

    def of(self, described: Described) -> Described:
        """Return a copy of `described` with the new details.

        Raises InvalidCommandError if the title is too long or has a control character.
        """
        return replace(
            described,
            title=described.title if self.title is None else clean_title(self.title),
            private=described.private if self.private is None else self.private,
            attendees=described.attendees if self.attendees is None else self.attendees,
        )


def draft(
    room: RoomPolicy, interval: Interval, decision: Decision, details: Details, *, now: datetime
) -> BookingData:
    """Return a new booking of the room, stored as `decision` says."""
    return BookingData(
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
        state=decision.state,
        takes_slot=decision.takes_slot,
        lapses_at=decision.lapses_at,
        created_at=now,
        attendees=details.attendees,
        flags=decision.flags,
    )


def moved(booking: BookingData, room: RoomPolicy, interval: Interval) -> BookingData:
    """Return a copy of the booking in this room at this interval."""
    return replace(
        booking,
        room=room.uuid,
        room_id=room.id,
        interval=interval,
        local_start=local_time(interval.start, room.zone),
        local_end=local_time(interval.end, room.zone),
    )


def flagged(booking: BookingData, decision: Decision) -> BookingData:
    """Return a copy of the booking with the flags of the decision; a walk-up keeps its flag."""
    lasting = tuple(flag for flag in booking.flags if flag == WALK_UP)
    return replace(booking, flags=(*decision.flags, *lasting))


def with_decision(booking: BookingData, decision: Decision) -> BookingData:
    """Return a copy of the booking with state, deadline and flags of the decision."""
    return replace(
        flagged(booking, decision),
        state=decision.state,
        takes_slot=decision.takes_slot,
        lapses_at=decision.lapses_at,
    )


def without_slot(booking: BookingData, state: BookingState) -> BookingData:
    """Return a copy of the booking in `state`, without its slot and without a deadline."""
    return replace(booking, state=state, takes_slot=False, lapses_at=None)


def local_time(instant: datetime, zone: ZoneInfo) -> str:
    """Return the local time in the format of bookings: ISO 8601 without an offset."""
    return instant.astimezone(zone).replace(tzinfo=None).isoformat()
