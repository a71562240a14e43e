"""Command: swap the rooms of two bookings."""

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
    """Move each of two bookings into the room of the other; return both. No time changes.

    Both bookings move or neither does. The actor must be allowed to change both. Of a multi-room
    booking only the named part moves; approval and check-in rules of the new room then apply to
    the whole booking.
    Raises: InvalidCommandError `same_booking`, `rooms_overlap`; ConflictError `not_changeable`,
    `already_started`; NotFoundError for an unknown booking; PermissionDeniedError; and what
    `evaluate` raises, if a third booking or a rule of the other room forbids the swap.
    """
    if booking_id == other_id:
        raise InvalidCommandError(
            "Choose two different bookings to swap their rooms.", code=BookingErrorCode.SAME_BOOKING
        )

    def run(tx: CommandContext) -> Pair:
        pair = _pair(booking_id, other_id)
        for booking in pair:
            tx.room_of(booking)
            require_organizer(actor, booking, tx)
            _require_future(booking, tx)
        swapped = _swapped(tx, actor, pair)
        bookings = [parts_of(booking_id)]
        if other_id not in {part.id for part in bookings[0]}:
            bookings.append(parts_of(other_id))
        for parts in bookings:
            tx.changes += _changes(tx, actor, parts, swapped)
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
    """Return the one person whose quotas can refuse the swap.

    Quotas apply only to a booking that moves into a room that the actor does not manage. The
    booking that leaves that room is the actor's own, or the actor could not change it. So quotas
    never apply to two people.
    """
    one, other = pair
    for booking, room in ((one, rooms.get(other.room)), (other, rooms.get(one.room))):
        if room is not None and not is_manager(actor, room):
            return booking.organizer_id
    return one.organizer_id


def _require_future(booking: BookingData, tx: CommandContext) -> None:
    if booking.state not in STATES_THAT_CAN_BE_CHANGED:
        raise ConflictError(
            f"One of the bookings is {booking.state}, so its room cannot change.",
            code=BookingErrorCode.NOT_CHANGEABLE,
        )
    if booking.interval.start <= tx.now:
        raise ConflictError(
            "One of the bookings has started, so its room cannot change.",
            code=BookingErrorCode.ALREADY_STARTED,
        )


def _swapped(tx: CommandContext, actor: Actor, pair: Pair) -> dict[UUID, BookingData]:
    """Return both bookings in their new rooms, by id. Raises what `evaluate` raises."""
    person = _whose_quotas(actor, pair, tx.rooms)
    swapped = {}
    for booking, other in (pair, pair[::-1]):
        room = tx.rooms[other.room]
        known = tx.room_context(room)
        if booking.organizer_id == person:
            tx.count(booking.interval, room)
        else:
            known = replace(known, usage=())  # the usage was read for `person` only
        request = BookingRequest(
            interval=booking.interval,
            person=booking.organizer_id,
            is_manager=is_manager(actor, room),
            attendees=booking.attendees,
            replaces=frozenset(each.id for each in pair),
        )
        tx.require_in_snapshot(booking.interval)
        decision = evaluate(request, room, known, now=tx.now)
        swapped[booking.id] = with_decision(moved(booking, room, booking.interval), decision)
    return swapped


def _changes(
    tx: CommandContext, actor: Actor, parts: list[BookingData], swapped: dict[UUID, BookingData]
) -> list[Change]:
    """Return the changes of all parts of one booking.

    Raises InvalidCommandError `rooms_overlap` if two of its rooms share floor after the swap.
    """
    after = [swapped.get(part.id, part) for part in parts]
    refuse_shared_floor([tx.room_of(part) for part in after])
    if parts[0].group_id is not None:
        after = as_one_booking(after, parts[0].group_id, tx.room_of, now=tx.now)
    return [
        Change.of(before, part, actor, "swap_rooms", _reason(before.id, swapped))
        for before, part in zip(parts, after, strict=True)
        if part != before or before.id in swapped
    ]


def _reason(booking_id: UUID, swapped: dict[UUID, BookingData]) -> str:
    if booking_id not in swapped:
        return "Another room of this booking was swapped"
    [other] = swapped.keys() - {booking_id}
    return f"Swapped rooms with booking {other}"
