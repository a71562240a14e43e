"""Command: book a room that is free right now, at its door."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from booking.clock import DATABASE_CLOCK
from booking.domain.drafts import WALK_UP, Details, draft
from booking.domain.facts import BookingFacts
from booking.domain.request import Request
from booking.domain.rules import judge
from booking.services.decision import RoomTransaction
from booking.services.looking import Looking
from booking.services.room_transaction import in_rooms
from booking.services.writing import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import InvalidCommandError, PermissionDeniedError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.rulebook import Approval, BookableBy, RoomRules

TITLE = "Walk-up"
MAX_MINUTES = 8 * 60
SLACK = timedelta(minutes=2)  # more than a command waits for its room


def take_walk_up(
    *, actor: Actor, room: UUID, minutes: int, clock: Clock = DATABASE_CLOCK
) -> BookingFacts:
    """Book one of the device's rooms from now on, checked in, for whoever stands there.

    It has no organizer: the device's name stands in for one, and it is flagged `walk_up`.
    Raises: PermissionDeniedError for an actor who is no device; NotFoundError for a room that is
    not the device's; PermissionDeniedError `not_at_the_door` where not everybody may book or a yes
    is needed; InvalidCommandError `wrong_length`; and what `book_room` raises.
    """
    if not actor.is_device:
        raise PermissionDeniedError("Walk-ups are for devices.", code="only_for_devices")
    actor.require_room(room)
    if not 1 <= minutes <= MAX_MINUTES:
        raise InvalidCommandError(f"Take 1 to {MAX_MINUTES} minutes.", code="wrong_length")
    length = timedelta(minutes=minutes)
    details = Details(TITLE, actor.name, None)

    def book(tx: RoomTransaction) -> BookingFacts:
        _require_open_to_all(tx.rooms[room])
        rules = tx.rooms[room]
        request = Request(Interval(tx.now, tx.now + length), person=None, is_walk_up=True)
        judged = judge(request, rules, tx.known(rules), now=tx.now)
        facts = draft(rules, request.interval, judged, details, now=tx.now)
        facts = replace(facts, flags=(*facts.flags, WALK_UP))
        tx.changes.append(Change(None, facts, actor, "take_walk_up"))
        return facts

    asked_at = clock.now()
    looking = Looking(windows=(Interval(asked_at, asked_at + length + SLACK),))
    return in_rooms(book, rooms=(room,), looking=looking, clock=clock)


def _require_open_to_all(room: RoomRules) -> None:
    """Refuse a room whose rules ask who it is for: at a door that is not known."""
    is_for_all = room.book.bookable_by is BookableBy.EVERYONE
    if not is_for_all or room.book.approval is not Approval.NONE:
        raise PermissionDeniedError(
            f"{room.name} is not given to whoever comes by. Sign in and ask for it.",
            code="not_at_the_door",
        )
