"""Command: book a room for a person."""

from dataclasses import asdict, dataclass
from uuid import UUID

from booking.clock import DATABASE_CLOCK
from booking.domain.facts import BookingFacts
from booking.domain.rules import (
    check_in_deadline,
    check_opening_hours,
    check_times,
    clean_title,
    first_state,
)
from booking.models import Booking, as_range
from booking.services.receipts import claim_key, digest_of_request, keep_answer
from booking.services.room_transaction import RoomTransaction, room_transaction
from booking.services.slots import insert_booking
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import PermissionDeniedError
from meeting_rooms.kernel.interval import Interval
from rooms.selectors import hours_of, zone_of


@dataclass(frozen=True, slots=True)
class BookRoom:
    """What is asked for."""

    room: UUID
    interval: Interval
    title: str = ""
    private: bool = False


def book_room(
    *,
    actor: Actor,
    wanted: BookRoom,
    idempotency_key: str | None = None,
    clock: Clock = DATABASE_CLOCK,
) -> BookingFacts:
    """Book the room, or raise and leave nothing behind.

    Guarantees: of any number of racing commands over one slot exactly one succeeds; the same key
    with the same request gives one booking and one answer.
    Raises: InvalidCommandError (see `booking.domain.rules`, `receipts`), NotFoundError for the
    room, SlotTakenError, RoomClosedError, PermissionDeniedError for an actor who is no person.
    """
    if actor.user_id is None:
        raise PermissionDeniedError("Only a person can book. Sign in.")
    with room_transaction([wanted.room], clock=clock) as tx:
        if idempotency_key is not None:
            digest = digest_of_request(asdict(wanted))
            given = claim_key(user_id=actor.user_id, key=idempotency_key, digest=digest, now=tx.now)
            if given is not None:
                return given
        answer = _book(tx, actor=actor, wanted=wanted)
        if idempotency_key is not None:
            keep_answer(user_id=actor.user_id, key=idempotency_key, answer=answer)
        return answer


def _book(tx: RoomTransaction, *, actor: Actor, wanted: BookRoom) -> BookingFacts:
    room = tx.rooms[wanted.room]
    check_times(wanted.interval, now=tx.now)
    check_opening_hours(wanted.interval, hours=hours_of(room), zone=zone_of(room))
    booking = Booking(
        room=room,
        during=as_range(wanted.interval),
        title=clean_title(wanted.title),
        organizer_id=actor.user_id,
        organizer_name=actor.name,
        is_private=wanted.private,
        state=first_state(wanted.interval, now=tx.now),
        check_in_until=check_in_deadline(wanted.interval, now=tx.now),
        created_at=tx.now,
    )
    insert_booking(booking)
    facts = booking.facts()
    tx.audit(actor=actor, command="book_room", before=None, after=facts)
    return facts
