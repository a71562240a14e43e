"""Command: book a free room from now on, at the device by its door."""

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
MAX_MINUTES = 8 * 60  # a working day
SLACK = timedelta(minutes=2)  # longer than a command can wait for the lock of its room


def book_walk_up(
    *, actor: Actor, room: UUID, minutes: int, clock: Clock = DATABASE_CLOCK
) -> BookingData:
    """Book one of the device's rooms from now on and return the booking, which is checked in.

    The booking has no organizer; the name of the device is its organizer name. Its flag is
    `walk_up`.
    Raises: PermissionDeniedError `only_for_devices` for an actor who is not a device;
    NotFoundError for a room that is not the device's; PermissionDeniedError `not_at_the_door` if
    not everyone may book the room or a booking needs approval; InvalidCommandError `wrong_length`;
    and what `evaluate` raises.
    """
    if not actor.is_device:
        raise PermissionDeniedError(
            "Only a device at a door can book a walk-up. Book the room as a person instead.",
            code=IdentityErrorCode.ONLY_FOR_DEVICES,
        )
    actor.require_room(room)
    if not 1 <= minutes <= MAX_MINUTES:
        raise InvalidCommandError(
            f"Choose a length of 1 to {MAX_MINUTES} minutes.", code=BookingErrorCode.WRONG_LENGTH
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
    """Raise PermissionDeniedError if the rules of the room depend on the person who books."""
    if not room.policy.is_open_at_door:
        raise PermissionDeniedError(
            f"Sign in to book {room.name}: it cannot be booked at the door.",
            code=BookingErrorCode.NOT_AT_THE_DOOR,
        )
