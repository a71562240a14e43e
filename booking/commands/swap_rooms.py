"""Command: let two bookings trade rooms."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest
from booking.domain.changes import moved, with_decision
from booking.domain.error_codes import BookingErrorCode
from booking.domain.multi_room import as_one_booking
from booking.domain.policy_checks import evaluate, refuse_shared_floor
from booking.domain.states import STATES_THAT_CAN_BE_CHANGED
from booking.repository import get_booking, parts_of
from booking.transaction.change_booking import require_organizer
from booking.transaction.context import CommandContext, is_manager
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.unit_of_work import run_in_rooms
from booking.transaction.write_changes import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError
from rooms.domain.effective_policy import RoomPolicy

Pair = tuple[BookingData, BookingData]


def swap_rooms(
    *, actor: Actor, booking_id: UUID, other_id: UUID, clock: Clock = DATABASE_CLOCK
) -> Pair:
    """Give each of the two bookings the other's room at its own time; both or neither.

    The actor must be allowed to change both. Of a booking of several rooms only this part moves,
    and what its new room asks for counts for the whole.
    Raises: InvalidCommandError `same_booking`, `rooms_overlap`; ConflictError `not_changeable`,
    `already_started`; NotFoundError; PermissionDeniedError; and what `evaluate` raises, where a
    third booking or a rule of the other room is in the way.
    """
    if booking_id == other_id:
        raise InvalidCommandError(
            "Name two bookings to trade rooms.", code=BookingErrorCode.SAME_BOOKING
        )

    def run(tx: CommandContext) -> Pair:
        pair = _pair(booking_id, other_id)
        for booking in pair:
            tx.room_of(booking)
            require_organizer(actor, booking, tx)
            _require_future(booking, tx)
        traded = _traded(tx, actor, pair)
        wholes = [parts_of(booking_id)]
        if other_id not in {part.id for part in wholes[0]}:
            wholes.append(parts_of(other_id))
        for whole in wholes:
            tx.changes += _changes(tx, actor, whole, traded)
        stored = {change.after.id: change.after for change in tx.changes}
        return stored[booking_id], stored[other_id]

    def query(rooms: Mapping[UUID, RoomPolicy]) -> SnapshotQuery:
        pair = _pair(booking_id, other_id)
        return SnapshotQuery(
            windows=tuple(booking.interval for booking in pair),
            person=_whose_quotas(actor, pair, rooms),
            besides=frozenset(booking.id for booking in pair),
        )

    def rooms() -> list[UUID]:
        return sorted({part.room for pk in (booking_id, other_id) for part in parts_of(pk)})

    return run_in_rooms(run, rooms=rooms, query=query, clock=clock)


def _pair(booking_id: UUID, other_id: UUID) -> Pair:
    return get_booking(booking_id).as_data(), get_booking(other_id).as_data()


def _whose_quotas(actor: Actor, pair: Pair, rooms: Mapping[UUID, RoomPolicy]) -> UUID | None:
    """Return the one person whom quotas can refuse.

    Only what goes to a room that the actor does not run is refused. What comes from there is the
    actor's own, or it could not be traded, so there are never two such people.
    """
    one, other = pair
    for booking, room in ((one, rooms.get(other.room)), (other, rooms.get(one.room))):
        if room is not None and not is_manager(actor, room):
            return booking.organizer_id
    return one.organizer_id


def _require_future(booking: BookingData, tx: CommandContext) -> None:
    if booking.state not in STATES_THAT_CAN_BE_CHANGED:
        raise ConflictError(f"A booking is {booking.state}.", code=BookingErrorCode.NOT_CHANGEABLE)
    if booking.interval.start <= tx.now:
        raise ConflictError(
            "A booking has begun and stays in its room.", code=BookingErrorCode.ALREADY_STARTED
        )


def _traded(tx: CommandContext, actor: Actor, pair: Pair) -> dict[UUID, BookingData]:
    """Return both in their new rooms, by id."""
    person = _whose_quotas(actor, pair, tx.rooms)
    traded = {}
    for booking, other in (pair, pair[::-1]):
        room = tx.rooms[other.room]
        known = tx.room_context(room)
        if booking.organizer_id == person:
            tx.count(booking.interval, room)
        else:
            known = replace(known, usage=())  # it is somebody else's
        request = BookingRequest(
            interval=booking.interval,
            person=booking.organizer_id,
            is_manager=is_manager(actor, room),
            attendees=booking.attendees,
            replaces=frozenset(each.id for each in pair),
        )
        tx.require_in_snapshot(booking.interval)
        decision = evaluate(request, room, known, now=tx.now)
        traded[booking.id] = with_decision(moved(booking, room, booking.interval), decision)
    return traded


def _changes(
    tx: CommandContext, actor: Actor, whole: list[BookingData], traded: dict[UUID, BookingData]
) -> list[Change]:
    """Return what becomes of all rooms of one booking. Raises InvalidCommandError."""
    after = [traded.get(part.id, part) for part in whole]
    refuse_shared_floor([tx.room_of(part) for part in after])
    if whole[0].group_id is not None:
        after = as_one_booking(after, whole[0].group_id, tx.room_of, now=tx.now)
    return [
        Change.of(before, part, actor, "swap_rooms", _reason(before.id, traded))
        for before, part in zip(whole, after, strict=True)
        if part != before or before.id in traded
    ]


def _reason(booking_id: UUID, traded: dict[UUID, BookingData]) -> str:
    if booking_id not in traded:
        return "Another of its rooms was traded"
    [other] = traded.keys() - {booking_id}
    return f"Traded with {other}"
