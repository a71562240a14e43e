"""Command: book one room, or several rooms together, for the calling person."""

from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID, uuid4

from booking.domain.booking_data import BookingData
from booking.domain.changes import Details, draft
from booking.domain.multi_room import as_one_booking
from booking.domain.policy_checks import evaluate, refuse_endless, refuse_shared_floor
from booking.domain.titles import clean_title
from booking.transaction.context import CommandContext, release_holds, request_of
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.idempotency import BOOKINGS, idempotent
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.unit_of_work import run_in_rooms
from booking.transaction.write_changes import Change
from identity.domain.error_codes import IdentityErrorCode
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import InvalidCommandError, PermissionDeniedError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy

MAX_ROOMS = 20  # rooms of one booking, all locked in one transaction
COMMAND = "book_room"


@dataclass(frozen=True, slots=True)
class BookRooms:
    """A request to book rooms. Several rooms are booked together or not at all."""

    rooms: tuple[UUID, ...]
    interval: Interval
    title: str = ""
    private: bool = False
    attendees: int | None = None

    @classmethod
    def one(
        cls,
        room: UUID,
        interval: Interval,
        title: str = "",
        private: bool = False,
        attendees: int | None = None,
    ) -> Self:
        """Return a request for one room."""
        return cls((room,), interval, title, private, attendees)


def book_room(
    *,
    actor: Actor,
    wanted: BookRooms,
    idempotency_key: str | None = None,
    clock: Clock = DATABASE_CLOCK,
) -> BookingData:
    """Book one room and return the booking. Raises what `book_rooms` raises."""
    [booking] = book_rooms(actor=actor, wanted=wanted, idempotency_key=idempotency_key, clock=clock)
    return booking


def book_rooms(
    *,
    actor: Actor,
    wanted: BookRooms,
    idempotency_key: str | None = None,
    clock: Clock = DATABASE_CLOCK,
) -> tuple[BookingData, ...]:
    """Book all the rooms or none; return one booking per room, in the order of `wanted.rooms`.

    The person's own hold of the slot becomes the booking, so confirming a hold cannot lose a race.
    Guarantees: if several commands race for one slot, exactly one succeeds; the same key with the
    same request gives one booking and one answer.
    Raises: InvalidCommandError `wrong_number_of_rooms`; what `refuse_endless`, `clean_title`,
    `idempotent`, `evaluate` and `refuse_shared_floor` raise; NotFoundError for an unknown room;
    PermissionDeniedError for an actor who is not a person.
    """
    if actor.user_id is None:
        raise PermissionDeniedError("Only a person can book. Sign in.")
    if not 1 <= len(set(wanted.rooms)) == len(wanted.rooms) <= MAX_ROOMS:
        raise InvalidCommandError(
            f"Choose 1 to {MAX_ROOMS} different rooms.",
            code=IdentityErrorCode.WRONG_NUMBER_OF_ROOMS,
        )
    refuse_endless(wanted.interval)
    details = Details.of(
        actor, clean_title(wanted.title), private=wanted.private, attendees=wanted.attendees
    )

    def book(tx: CommandContext) -> tuple[BookingData, ...]:
        return _book(tx, actor, wanted, details)

    command = idempotent(
        book, user_id=actor.user_id, key=idempotency_key, request=wanted, form=BOOKINGS
    )
    query = SnapshotQuery(windows=(wanted.interval,), person=actor.user_id)
    return run_in_rooms(command, rooms=wanted.rooms, query=query, clock=clock)


def _book(
    tx: CommandContext, actor: Actor, wanted: BookRooms, details: Details
) -> tuple[BookingData, ...]:
    rooms = [tx.rooms[uuid] for uuid in wanted.rooms]
    refuse_shared_floor(rooms)
    for room in rooms:
        tx.changes.append(_book_one(tx, actor, room, wanted.interval, details))
        tx.count(wanted.interval, room)
    booked = [change for change in tx.changes if change.command == COMMAND]
    if len(booked) > 1:
        parts = as_one_booking([change.after for change in booked], uuid4(), tx.room_of, now=tx.now)
        joined = [replace(c, after=part) for c, part in zip(booked, parts, strict=True)]
        tx.changes[:] = [c for c in tx.changes if c.command != COMMAND] + joined
        booked = joined
    return tuple(change.after for change in booked)


def _book_one(
    tx: CommandContext,
    actor: Actor,
    room: RoomPolicy,
    interval: Interval,
    details: Details,
) -> Change:
    request, known, holds = request_of(tx, actor, room, interval, details.attendees)
    decision = evaluate(request, room, known, now=tx.now)
    facts = draft(room, interval, decision, details, now=tx.now)
    if not holds:
        return Change(None, facts, actor, COMMAND)
    first, *others = holds  # the first hold becomes the booking and keeps its id
    release_holds(tx, others, actor)
    return Change.of(
        first,
        replace(facts, id=first.id, created_at=first.created_at),
        actor,
        COMMAND,
        "The hold was booked",
    )
