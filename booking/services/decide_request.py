"""Commands: say yes or no to a booking that waits for approval."""

from dataclasses import replace
from uuid import UUID

from booking.clock import DATABASE_CLOCK
from booking.domain.drafts import without_slot
from booking.domain.facts import BookingFacts
from booking.domain.request import Judgement, Request
from booking.domain.rules import check_in_deadline, judge
from booking.domain.states import BookingState
from booking.selectors import get_booking, parts_of, pending_rivals
from booking.services.decision import RoomTransaction, is_manager
from booking.services.lifecycle import About, change_booking
from booking.services.looking import Looking
from booking.services.writing import Change, OutdatedError
from meeting_rooms.kernel.actor import SYSTEM_ACTOR, Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError, PermissionDeniedError
from rooms.domain.rulebook import Approval, RoomRules
from rooms.rulebooks import rules_of


def approve_booking(
    *, actor: Actor, booking_id: UUID, reason: str = "", clock: Clock = DATABASE_CLOCK
) -> BookingFacts:
    """Confirm a pending booking. Other requests for a part of its slot are rejected with it.

    Approving it again returns it unchanged. `pending_rivals` tells beforehand whom it rejects.
    Raises: SlotTakenError where somebody else has the slot by now; RoomClosedError; ConflictError
    `not_pending`, `already_over`; NotFoundError; PermissionDeniedError.
    """

    def approve(booking: BookingFacts, tx: RoomTransaction) -> BookingFacts:
        _require_manager(actor, booking, tx)
        if booking.state is BookingState.CONFIRMED:
            return booking
        _require_pending(booking, tx)
        tx.require_looked(booking.interval)
        room = tx.rooms[booking.room]
        flags = _judged(booking, room, tx).flags
        _reject_rivals(booking, tx)
        return replace(
            booking,
            state=BookingState.CONFIRMED,
            takes_slot=True,
            lapses_at=check_in_deadline(booking.interval, room.book, now=tx.now),
            flags=tuple(dict.fromkeys((*booking.flags, *flags))),
        )

    return change_booking(
        actor=actor,
        booking_id=booking_id,
        command="approve_booking",
        change=approve,
        clock=clock,
        reason=reason,
        about=About(
            is_judged_anew=True,
            looking=lambda _rooms: Looking(windows=(get_booking(booking_id).interval,)),
            also_rooms=lambda: {
                rival.room for part in parts_of(booking_id) for rival in _whole_rivals(part)
            },
        ),
    )


def reject_booking(
    *, actor: Actor, booking_id: UUID, reason: str, clock: Clock = DATABASE_CLOCK
) -> BookingFacts:
    """Refuse a pending booking. Rejecting it again returns it unchanged.

    Raises: ConflictError `not_pending`, `already_over`; NotFoundError; PermissionDeniedError.
    """

    def reject(booking: BookingFacts, tx: RoomTransaction) -> BookingFacts:
        _require_manager(actor, booking, tx)
        if booking.state is BookingState.REJECTED:
            return booking
        _require_pending(booking, tx)
        return without_slot(booking, BookingState.REJECTED)

    return change_booking(
        actor=actor,
        booking_id=booking_id,
        command="reject_booking",
        change=reject,
        clock=clock,
        reason=reason,
    )


def _judged(booking: BookingFacts, room: RoomRules, tx: RoomTransaction) -> Judgement:
    """Judge the booking beside what has been confirmed since it was asked for.

    Whoever runs the room may say yes against its rules; which ones is kept among the flags.
    """
    known = tx.known(room)
    decided = tuple(b for b in known.neighbours if b.state is not BookingState.PENDING)
    request = Request(
        interval=booking.interval,
        person=booking.organizer_id,
        is_manager=True,
        attendees=booking.attendees,
        replaces=frozenset({booking.id}),
        is_standing=True,
    )
    return judge(request, room, replace(known, neighbours=decided), now=tx.now)


def _reject_rivals(booking: BookingFacts, tx: RoomTransaction) -> None:
    """Reject who asked for a part of the slot, in all rooms of theirs: a booking goes whole."""
    decided = {change.after.id for change in tx.changes}
    for rival in _whole_rivals(booking):
        if rival.room not in tx.rooms:
            raise OutdatedError  # it was asked for after the rooms were looked up
        if rival.id not in decided:
            rejected = without_slot(rival, BookingState.REJECTED)
            told = "Another request for this time was approved"
            tx.changes.append(Change.of(rival, rejected, SYSTEM_ACTOR, "reject_booking", told))


def _whole_rivals(booking: BookingFacts) -> list[BookingFacts]:
    """Return the requests that rival this one, with their parts in other rooms."""
    if booking.state is not BookingState.PENDING:
        return []
    [room] = rules_of([booking.room])
    own = {part.id for part in parts_of(booking.id)}
    found = {
        part.id: part
        for rival in pending_rivals(booking, room)
        if rival.id not in own
        for part in parts_of(rival.id)
        if part.state is BookingState.PENDING
    }
    return list(found.values())


def _require_manager(actor: Actor, booking: BookingFacts, tx: RoomTransaction) -> None:
    """Refuse who does not run every room of the booking that asks for a yes.

    Where none of them asks any more, they are all asked.
    """
    own = [tx.room_of(part) for part in parts_of(booking.id)]
    rooms = [room for room in own if room.book.approval is Approval.ALWAYS] or own
    if not all(is_manager(actor, room) for room in rooms):
        raise PermissionDeniedError("Only those who run the room decide about requests.")


def _require_pending(booking: BookingFacts, tx: RoomTransaction) -> None:
    if booking.state is not BookingState.PENDING:
        raise ConflictError(
            f"The request is {booking.state} already; there is nothing to decide.",
            code="not_pending",
        )
    if booking.interval.end <= tx.now:
        raise ConflictError("The time asked for is over.", code="already_over")
