"""Commands: approve or reject a request for a booking."""

from dataclasses import replace
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, Decision
from booking.domain.changes import without_slot
from booking.domain.error_codes import BookingErrorCode
from booking.domain.policy_checks import check_in_deadline, evaluate
from booking.domain.states import BookingState
from booking.repository import get_booking, parts_of, pending_rivals
from booking.transaction.change_booking import ChangeOptions, change_booking
from booking.transaction.context import CommandContext, is_manager
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.write_changes import Change, ConcurrentChangeError
from meeting_rooms.kernel.actor import SYSTEM_ACTOR, Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError, PermissionDeniedError
from rooms.domain.effective_policy import Approval, RoomPolicy
from rooms.policies.cache import room_policies


def approve_booking(
    *, actor: Actor, booking_id: UUID, reason: str = "", clock: Clock = DATABASE_CLOCK
) -> BookingData:
    """Confirm a pending booking. Other requests for a part of its slot are rejected with it.

    Approving it again returns it unchanged. `pending_rivals` tells beforehand whom it rejects.
    Raises: SlotTakenError where somebody else has the slot by now; RoomClosedError; ConflictError
    `not_pending`, `already_over`; NotFoundError; PermissionDeniedError.
    """

    def approve(booking: BookingData, tx: CommandContext) -> BookingData:
        _require_manager(actor, booking, tx)
        if booking.state is BookingState.CONFIRMED:
            return booking
        _require_pending(booking, tx)
        tx.require_in_snapshot(booking.interval)
        room = tx.rooms[booking.room]
        flags = _judged(booking, room, tx).flags
        _reject_rivals(booking, tx)
        return replace(
            booking,
            state=BookingState.CONFIRMED,
            takes_slot=True,
            lapses_at=check_in_deadline(booking.interval, room.policy, now=tx.now),
            flags=tuple(dict.fromkeys((*booking.flags, *flags))),
        )

    return change_booking(
        actor=actor,
        booking_id=booking_id,
        command="approve_booking",
        change=approve,
        clock=clock,
        reason=reason,
        options=ChangeOptions(
            rejoins_parts=True,
            query=lambda _rooms: SnapshotQuery(windows=(get_booking(booking_id).interval,)),
            also_rooms=lambda: {
                rival.room for part in parts_of(booking_id) for rival in _whole_rivals(part)
            },
        ),
    )


def reject_booking(
    *, actor: Actor, booking_id: UUID, reason: str, clock: Clock = DATABASE_CLOCK
) -> BookingData:
    """Refuse a pending booking. Rejecting it again returns it unchanged.

    Raises: ConflictError `not_pending`, `already_over`; NotFoundError; PermissionDeniedError.
    """

    def reject(booking: BookingData, tx: CommandContext) -> BookingData:
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


def _judged(booking: BookingData, room: RoomPolicy, tx: CommandContext) -> Decision:
    """Judge the booking beside what has been confirmed since it was asked for.

    Whoever runs the room may say yes against its rules; which ones is kept among the flags.
    """
    known = tx.room_context(room)
    decided = tuple(b for b in known.neighbours if b.state is not BookingState.PENDING)
    request = BookingRequest(
        interval=booking.interval,
        person=booking.organizer_id,
        is_manager=True,
        attendees=booking.attendees,
        replaces=frozenset({booking.id}),
        is_standing=True,
    )
    return evaluate(request, room, replace(known, neighbours=decided), now=tx.now)


def _reject_rivals(booking: BookingData, tx: CommandContext) -> None:
    """Reject who asked for a part of the slot, in all rooms of theirs: a booking goes whole."""
    decided = {change.after.id for change in tx.changes}
    for rival in _whole_rivals(booking):
        if rival.room not in tx.rooms:
            raise ConcurrentChangeError  # it was asked for after the rooms were looked up
        if rival.id not in decided:
            rejected = without_slot(rival, BookingState.REJECTED)
            told = "Another request for this time was approved"
            tx.changes.append(Change.of(rival, rejected, SYSTEM_ACTOR, "reject_booking", told))


def _whole_rivals(booking: BookingData) -> list[BookingData]:
    """Return the requests that rival this one, with their parts in other rooms."""
    if booking.state is not BookingState.PENDING:
        return []
    [room] = room_policies([booking.room])
    own = {part.id for part in parts_of(booking.id)}
    found = {
        part.id: part
        for rival in pending_rivals(booking, room)
        if rival.id not in own
        for part in parts_of(rival.id)
        if part.state is BookingState.PENDING
    }
    return list(found.values())


def _require_manager(actor: Actor, booking: BookingData, tx: CommandContext) -> None:
    """Refuse who does not run every room of the booking that asks for a yes.

    Where none of them asks any more, they are all asked.
    """
    own = [tx.room_of(part) for part in parts_of(booking.id)]
    rooms = [room for room in own if room.policy.approval is Approval.ALWAYS] or own
    if not all(is_manager(actor, room) for room in rooms):
        raise PermissionDeniedError("Only those who run the room decide about requests.")


def _require_pending(booking: BookingData, tx: CommandContext) -> None:
    if booking.state is not BookingState.PENDING:
        raise ConflictError(
            f"The request is {booking.state} already; there is nothing to decide.",
            code=BookingErrorCode.NOT_PENDING,
        )
    if booking.interval.end <= tx.now:
        raise ConflictError("The time asked for is over.", code=BookingErrorCode.ALREADY_OVER)
