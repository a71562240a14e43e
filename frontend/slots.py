"""What the booking form says of the slot chosen in it: whose it is now, and what is free."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from booking.domain.states import BookingState
from booking.models import Booking
from booking.queries.alternatives import suggest_alternatives
from booking.repository import bookings_of
from meeting_rooms.kernel.interval import Interval
from rooms.models import Room
from rooms.queries import closures_during


class ChosenSlotState(StrEnum):
    """Whose a slot is, as one person sees it."""

    OPEN = "open"
    MINE = "mine"  # held by the one who asks
    HELD = "held"  # by somebody else, or a part of it is
    TAKEN = "taken"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Choice:
    """What could be booked instead, as values for the form's own fields."""

    room: Room
    local: datetime
    same_room: bool


@dataclass(frozen=True, slots=True)
class ChosenSlot:
    """A slot as the form shows it. `holder` and `held_until`: whoever holds it for longest."""

    room: Room
    interval: Interval
    state: ChosenSlotState
    holder: str = ""
    held_until: datetime | None = None
    reason: str = ""
    choices: tuple[Choice, ...] = ()


def chosen_slot(
    room: Room, interval: Interval, zone: ZoneInfo, *, viewer: UUID, now: datetime
) -> ChosenSlot:
    """Return whose the slot is at `now`, with alternatives where it is not to be had."""
    state, holder, until = _whose(bookings_of([room], interval, now=now)[room.pk], viewer, interval)
    reason = ""
    if state in (ChosenSlotState.OPEN, ChosenSlotState.MINE):
        closures = list(closures_during([room], interval.start, interval.end))
        if not closures:
            return ChosenSlot(room, interval, state)
        state, reason = ChosenSlotState.CLOSED, closures[0].reason
    found = choices(room, interval, zone, now=now)
    return ChosenSlot(room, interval, state, holder, until, reason, found)


def choices(room: Room, interval: Interval, zone: ZoneInfo, *, now: datetime) -> tuple[Choice, ...]:
    """Return what could be booked instead."""
    found = suggest_alternatives(room.uuid, interval, now=now)
    return tuple(
        Choice(other.room, other.interval.start.astimezone(zone), same_room=other.room == room)
        for other in found
    )


def _whose(
    bookings: list[Booking], viewer: UUID, interval: Interval
) -> tuple[ChosenSlotState, str, datetime | None]:
    holds = [booking for booking in bookings if booking.state == BookingState.HELD]
    if len(holds) < len(bookings):
        return ChosenSlotState.TAKEN, "", None
    of_others = [(h.lapses_at, h.organizer_name) for h in holds if h.organizer_id != viewer]
    if of_others:
        until, holder = max((at, name) for at, name in of_others if at is not None)
        return ChosenSlotState.HELD, holder, until
    is_mine = any(hold.interval == interval for hold in holds)
    return (ChosenSlotState.MINE if is_mine else ChosenSlotState.OPEN), "", None
