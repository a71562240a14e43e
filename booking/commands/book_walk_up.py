"""Command: book a room that is free right now, at its door."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest
from booking.domain.changes import WALK_UP, Details, draft
from booking.domain.error_codes import BookingErrorCode
from booking.domain.policy_checks import evaluate
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.unit_of_work import run_in_rooms
from booking.transaction.write_changes import Change
from identity.domain.error_codes import IdentityErrorCode
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import InvalidCommandError, PermissionDeniedError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy

TITLE = "Walk-up"
MAX_MINUTES = 8 * 60
SLACK = timedelta(minutes=2)  # more than a command waits for its room


def book_walk_up(
    *, actor: Actor, room: UUID, minutes: int, clock: Clock = DATABASE_CLOCK
) -> BookingData:
    """Book one of the device's rooms from now on, checked in, for whoever stands there.

    It has no organizer: the device's name stands in for one, and it is flagged `walk_up`.
    Raises: PermissionDeniedError for an actor who is no device; NotFoundError for a room that is
    not the device's; PermissionDeniedError `not_at_the_door` where not everybody may book or a yes
    is needed; InvalidCommandError `wrong_length`; and what `book_room` raises.
    """
    if not actor.is_device:
        raise PermissionDeniedError(
            "Walk-ups are for devices.", code=IdentityErrorCode.ONLY_FOR_DEVICES
        )
    actor.require_room(room)
    if not 1 <= minutes <= MAX_MINUTES:
        raise InvalidCommandError(
            f"Take 1 to {MAX_MINUTES} minutes.", code=BookingErrorCode.WRONG_LENGTH
        )
    length = timedelta(minutes=minutes)
    details = Details(TITLE, actor.name, None)

    def book(tx: CommandContext) -> BookingData:
        _require_open_at_door(tx.rooms[room])
        rules = tx.rooms[room]
        request = BookingRequest(Interval(tx.now, tx.now + length), person=None)
        decision = evaluate(request, rules, tx.room_context(rules), now=tx.now)
        facts = draft(rules, request.interval, decision, details, now=tx.now)
        facts = replace(facts, flags=(*facts.flags, WALK_UP))
        tx.changes.append(Change(None, facts, actor, "take_walk_up"))
        return facts

    asked_at = clock.now()
    query = SnapshotQuery(windows=(Interval(asked_at, asked_at + length + SLACK),))
    return run_in_rooms(book, rooms=(room,), query=query, clock=clock)


def _require_open_at_door(room: RoomPolicy) -> None:
    """Refuse a room whose rules ask who books it: at the door that is not known."""
    if not room.policy.is_open_at_door:
        raise PermissionDeniedError(
            f"Sign in to book {room.name}: it cannot be booked at the door.",
            code=BookingErrorCode.NOT_AT_THE_DOOR,
        )
