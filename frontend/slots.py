"""What the booking form says of the slot chosen in it: whose it is now, and what is free."""

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
    """Whose a slot is, as one person sees it."""

    OPEN = "open"
    MINE = "mine"  # held by the one who asks
    HELD = "held"  # by somebody else, or a part of it is
    TAKEN = "taken"
    CLOSED = "closed"  # out of service
    REFUSED = "refused"  # the rules of the room, or of the person, do not allow it


@dataclass(frozen=True, slots=True)
class Choice:
    """What could be booked instead, as values for the form's own fields."""

    room: Room
    local: datetime
    same_room: bool


@dataclass(frozen=True, slots=True)
class ChosenSlot:
    """A slot as the form shows it. `holder` and `held_until`: of the hold that lasts longest.

    `reason` says why it is closed, or in a whole sentence why it is refused.
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
    """Return whose the slot is at `now`, with alternatives where it is not to be had.

    Raises InvalidCommandError for a slot that no room allows.
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
    """Return what could be booked instead."""
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
