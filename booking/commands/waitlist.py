"""Commands: join the waitlist for a taken slot, and leave it."""

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

MAX_ENTRIES = 10  # open waitlist entries of one person


def wait_for_slot(
    *, actor: Actor, room: UUID, interval: Interval, title: str = "", clock: Clock = DATABASE_CLOCK
) -> WaitingEntry:
    """Add the person to the waitlist for the slot and return the entry.

    When the slot becomes free, the first person on the waitlist is offered it as a hold. A second
    call for the same slot returns the entry of the first.
    Raises: what `evaluate` raises for a booking of the slot if it were free; ConflictError
    `slot_is_free` if the slot is free; LimitExceededError `too_many_waiting`; InvalidCommandError
    `in_the_past` and what `clean_title` and `refuse_endless` raise; NotFoundError for an unknown
    room; PermissionDeniedError for an actor who is not a person.
    """
    person, named = _person(actor), clean_title(title)
    refuse_endless(interval)

    def run(tx: CommandContext) -> WaitingEntry:
        if interval.end <= tx.now:
            raise InvalidCommandError(
                "This time is over. Choose a later time.", code=BookingErrorCode.IN_THE_PAST
            )
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
                f"You already wait for {MAX_ENTRIES} slots. Stop waiting for one of them first.",
                code=BookingErrorCode.TOO_MANY_WAITING,
            )
        entry = WaitingEntry(
            user_id=person,
            room_id=rules.id,
            during=as_range(interval),
            title=named,
            created_at=tx.now,
        )
        tx.marked.add(room)  # compares the room's version: the slot may have become free
        tx.also.append(entry.save)
        return entry

    query = SnapshotQuery(windows=(interval,))
    return run_in_rooms(run, rooms=(room,), query=query, clock=clock)


def stop_waiting(*, actor: Actor, entry_id: UUID, clock: Clock = DATABASE_CLOCK) -> None:
    """Close the waitlist entry. A closed entry does not change; an offer stays until it lapses.

    Raises NotFoundError for an entry that is not the actor's; PermissionDeniedError for an actor
    who is not a person.
    """
    own = WaitingEntry.objects.filter(pk=entry_id, user_id=_person(actor))
    if not own.exists():
        raise NotFoundError(f"You have no waitlist entry {entry_id}.")
    own.filter(closed_at=None).update(closed_at=clock.now())


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise PermissionDeniedError("Only a person can wait for a room. Sign in.")
    return actor.user_id


def _refuse_free(tx: CommandContext, request: BookingRequest, room: UUID) -> None:
    """Raise ConflictError `slot_is_free` if no booking overlaps the slot."""
    rules = tx.rooms[room]
    try:
        refuse_taken(request, rules, tx.room_context(rules).neighbours)
    except SlotTakenError:
        return
    raise ConflictError("The slot is free. Book it.", code=BookingErrorCode.SLOT_IS_FREE)
