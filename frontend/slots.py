"""The state of the slot that is chosen in the booking form, and alternatives to that slot."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from booking.domain.states import BookingState
from booking.models import Booking
from booking.queries.alternatives import suggest_alternatives
from booking.queries.check_slot import check_slot
from booking.repository import bookings_of, closures_of
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.interval import Interval
from rooms.models import Room


class ChosenSlotState(StrEnum):
    """The state of a slot for the person who fills in the form."""

    OPEN = "open"  # bookable
    MINE = "mine"  # held by this person
    HELD = "held"  # another person holds the slot or a part of it
    TAKEN = "taken"  # booked, also if only in part
    CLOSED = "closed"  # out of service
    REFUSED = "refused"  # a rule of the room, or a quota of this person, forbids the booking


@dataclass(frozen=True, slots=True)
class Choice:
    """An alternative slot, as values for the fields of the form."""

    room: Room
    local: datetime
    same_room: bool


@dataclass(frozen=True, slots=True)
class ChosenSlot:
    """A slot as the form shows it. `holder` and `held_until` describe the hold that ends last.

    `reason` is the reason of a closure, or a full sentence for a refused slot.
    """

    room: Room
    interval: Interval
    state: ChosenSlotState
    holder: str = ""
    held_until: datetime | None = None
    reason: str = ""
    choices: tuple[Choice, ...] = ()


def chosen_slot(
    room: Room, interval: Interval, zone: ZoneInfo, *, viewer: Actor, now: datetime
) -> ChosenSlot:
    """Return the state of the slot at `now`, with alternatives if the slot cannot be booked.

    Raises InvalidCommandError if the interval is outside the limits of every room.
    """
    bookings = bookings_of([room], interval, now=now)[room.pk]
    state, holder, until = _whose(bookings, viewer.user_id, interval)
    reason = ""
    if state in (ChosenSlotState.OPEN, ChosenSlotState.MINE):
        check = check_slot(actor=viewer, room=room.uuid, interval=interval)
        if check.decision is not None:
            return ChosenSlot(room, interval, state)
        closures = closures_of([room], interval).get(room.pk)
        state = ChosenSlotState.CLOSED if closures else ChosenSlotState.REFUSED
        reason = closures[0].reason if closures else check.refusals[0]["detail"]
    found = choices(room, interval, zone, now=now)
    return ChosenSlot(room, interval, state, holder, until, reason, found)


def choices(room: Room, interval: Interval, zone: ZoneInfo, *, now: datetime) -> tuple[Choice, ...]:
    """Return alternatives to a slot."""
    found = suggest_alternatives(room.uuid, interval, now=now)
    return tuple(
        Choice(other.room, other.interval.start.astimezone(zone), same_room=other.room == room)
        for other in found
    )


def _whose(
    bookings: list[Booking], viewer: UUID | None, interval: Interval
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
