"""Commands: wait for a slot that is taken, or stop waiting."""

from uuid import UUID

from booking.domain.booking_request import BookingRequest, RoomContext
from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import SlotTakenError
from booking.domain.policy_checks import evaluate, refuse_endless, refuse_taken
from booking.domain.titles import clean_title
from booking.models import WaitingEntry, as_range
from booking.transaction.context import CommandContext, is_manager
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.unit_of_work import run_in_rooms
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import (
    ConflictError,
    InvalidCommandError,
    LimitExceededError,
    NotFoundError,
    PermissionDeniedError,
)
from meeting_rooms.kernel.interval import Interval

MAX_ENTRIES = 10  # one person waits for at once


def wait_for_slot(
    *, actor: Actor, room: UUID, interval: Interval, title: str = "", clock: Clock = DATABASE_CLOCK
) -> WaitingEntry:
    """Get in line for the slot. When it comes free, the first in line is offered it as a hold.

    Waiting again for the same slot returns the place one has.
    Raises: what the room's rules say of such a booking, were the slot free; ConflictError
    `slot_is_free` where there is nothing to wait for; LimitExceededError
    `too_many_waiting`; InvalidCommandError `in_the_past`; NotFoundError; PermissionDeniedError.
    """
    person, named = _person(actor), clean_title(title)
    refuse_endless(interval)

    def run(tx: CommandContext) -> WaitingEntry:
        if interval.end <= tx.now:
            raise InvalidCommandError("This time is over.", code=BookingErrorCode.IN_THE_PAST)
        rules = tx.rooms[room]
        request = BookingRequest(interval, person, is_manager=is_manager(actor, rules))
        evaluate(request, rules, RoomContext(closures=tx.room_context(rules).closures), now=tx.now)
        _refuse_free(tx, request, room)
        own = WaitingEntry.objects.filter(user_id=person, closed_at=None)
        known = own.filter(room_id=rules.id, during=as_range(interval)).first()
        if known is not None:
            return known
        if own.count() >= MAX_ENTRIES:
            raise LimitExceededError(
                f"You wait for {MAX_ENTRIES} slots already. Leave one of the lines first.",
                code=BookingErrorCode.TOO_MANY_WAITING,
            )
        entry = WaitingEntry(
            user_id=person,
            room_id=rules.id,
            during=as_range(interval),
            title=named,
            created_at=tx.now,
        )
        tx.marked.add(room)  # guarded: the slot may come free in this instant
        tx.also.append(entry.save)
        return entry

    query = SnapshotQuery(windows=(interval,))
    return run_in_rooms(run, rooms=(room,), query=query, clock=clock)


def stop_waiting(*, actor: Actor, entry_id: UUID, clock: Clock = DATABASE_CLOCK) -> None:
    """Leave the line. Leaving it again is harmless; an offer that was made stays until it lapses.

    Raises NotFoundError for an entry that is not the actor's.
    """
    own = WaitingEntry.objects.filter(pk=entry_id, user_id=_person(actor))
    if not own.exists():
        raise NotFoundError(f"You do not wait in the line {entry_id}.")
    own.filter(closed_at=None).update(closed_at=clock.now())


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise PermissionDeniedError("Only a person can wait for a room. Sign in.")
    return actor.user_id


def _refuse_free(tx: CommandContext, request: BookingRequest, room: UUID) -> None:
    rules = tx.rooms[room]
    try:
        refuse_taken(request, rules, tx.room_context(rules).neighbours)
    except SlotTakenError:
        return
    raise ConflictError("The slot is free. Book it.", code=BookingErrorCode.SLOT_IS_FREE)
