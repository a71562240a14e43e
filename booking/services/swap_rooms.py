"""Command: let two bookings trade rooms."""

from dataclasses import replace
from uuid import UUID

from booking.clock import DATABASE_CLOCK
from booking.domain.drafts import moved
from booking.domain.facts import BookingFacts
from booking.domain.request import Request
from booking.domain.rules import judge
from booking.domain.states import STATES_THAT_CAN_BE_CHANGED
from booking.selectors import get_booking
from booking.services.decision import RoomTransaction, is_manager
from booking.services.lifecycle import require_organizer, require_rooms
from booking.services.looking import Looking
from booking.services.room_transaction import in_rooms
from booking.services.writing import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError


def swap_rooms(
    *, actor: Actor, booking_id: UUID, other_id: UUID, clock: Clock = DATABASE_CLOCK
) -> tuple[BookingFacts, BookingFacts]:
    """Give each of the two bookings the other's room at its own time; both or neither.

    The actor must be allowed to change both. Raises: InvalidCommandError `same_booking`;
    ConflictError `not_changeable`, `already_started`; NotFoundError; PermissionDeniedError; and
    what `judge` raises, where a third booking or a rule of the other room is in the way.
    """
    if booking_id == other_id:
        raise InvalidCommandError("Name two bookings to trade rooms.", code="same_booking")

    def run(tx: RoomTransaction) -> tuple[BookingFacts, BookingFacts]:
        one, other = get_booking(booking_id).facts(), get_booking(other_id).facts()
        for booking in (one, other):
            require_rooms(tx, booking)
            require_organizer(actor, booking, tx)
            _require_future(booking, tx)
        pair = _traded(tx, actor, one, other), _traded(tx, actor, other, one)
        tx.changes += pair
        return pair[0].after, pair[1].after

    def looking(_rooms: object) -> Looking:
        pair = get_booking(booking_id), get_booking(other_id)
        return Looking(windows=tuple(booking.interval for booking in pair))

    rooms = {get_booking(booking_id).room.uuid, get_booking(other_id).room.uuid}
    return in_rooms(run, rooms=sorted(rooms), looking=looking, clock=clock)


def _require_future(booking: BookingFacts, tx: RoomTransaction) -> None:
    if booking.state not in STATES_THAT_CAN_BE_CHANGED:
        raise ConflictError(f"A booking is {booking.state}.", code="not_changeable")
    if booking.interval.start <= tx.now:
        raise ConflictError("A booking has begun and stays in its room.", code="already_started")


def _traded(
    tx: RoomTransaction, actor: Actor, booking: BookingFacts, other: BookingFacts
) -> Change:
    room = tx.rooms[other.room]
    request = Request(
        interval=booking.interval,
        person=booking.organizer_id,
        is_manager=is_manager(actor, room),
        attendees=booking.attendees,
        replaces=frozenset({booking.id, other.id}),
    )
    tx.require_looked(booking.interval)
    judged = judge(request, room, tx.known(room), now=tx.now)
    after = replace(
        moved(booking, room, booking.interval),
        state=judged.state,
        takes_slot=judged.takes_slot,
        lapses_at=judged.lapses_at,
        flags=judged.flags,
    )
    return Change.of(booking, after, actor, "swap_rooms", f"Traded with {other.id}")
