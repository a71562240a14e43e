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
    """Confirm a pending booking and reject the other requests for a part of its slot.

    A confirmed booking is returned unchanged. `repository.pending_rivals` lists beforehand which
    requests an approval rejects.
    Raises: SlotTakenError if another booking has taken the slot; RoomClosedError if a closure
    overlaps the slot; ConflictError `not_pending`, `already_over`; NotFoundError for an unknown
    booking; PermissionDeniedError for an actor who is not a room manager.
    """

    def approve(booking: BookingData, tx: CommandContext) -> BookingData:
        _require_manager(actor, booking, tx)
        if booking.state is BookingState.CONFIRMED:
            return booking
        _require_pending(booking, tx)
        tx.require_in_snapshot(booking.interval)
        room = tx.rooms[booking.room]
        flags = _evaluate_as_manager(booking, room, tx).flags
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
                rival.room for part in parts_of(booking_id) for rival in _rival_parts(part)
            },
        ),
    )


def reject_booking(
    *, actor: Actor, booking_id: UUID, reason: str, clock: Clock = DATABASE_CLOCK
) -> BookingData:
    """Reject a pending booking. A rejected booking is returned unchanged.

    Raises: ConflictError `not_pending`, `already_over`; NotFoundError for an unknown booking;
    PermissionDeniedError for an actor who is not a room manager.
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


def _evaluate_as_manager(booking: BookingData, room: RoomPolicy, tx: CommandContext) -> Decision:
    """Evaluate the request against the decided bookings; other requests do not block it.

    A room manager may approve a request that breaks rules; the flags of the decision name them.
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
    """Reject the other requests for a part of the slot, with all parts of each request.

    Raises ConcurrentChangeError if a request is in a room that is not part of this command.
    """
    decided = {change.after.id for change in tx.changes}
    for rival in _rival_parts(booking):
        if rival.room not in tx.rooms:
            raise ConcurrentChangeError  # the request was made after the rooms were chosen
        if rival.id not in decided:
            rejected = without_slot(rival, BookingState.REJECTED)
            reason = "Another request for this time was approved"
            tx.changes.append(Change.of(rival, rejected, SYSTEM_ACTOR, "reject_booking", reason))


def _rival_parts(booking: BookingData) -> list[BookingData]:
    """Return the other requests for a part of the slot, each with its parts in other rooms."""
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
    """Raise PermissionDeniedError unless the actor manages each room that needs approval.

    If no room of the booking needs approval any more, the actor must manage all its rooms.
    """
    own = [tx.room_of(part) for part in parts_of(booking.id)]
    rooms = [room for room in own if room.policy.approval is Approval.ALWAYS] or own
    if not all(is_manager(actor, room) for room in rooms):
        raise PermissionDeniedError(
            "Only a room manager can decide about requests. Ask a room manager."
        )


def _require_pending(booking: BookingData, tx: CommandContext) -> None:
    if booking.state is not BookingState.PENDING:
        raise ConflictError(
            f"The booking is {booking.state}, so it needs no decision.",
            code=BookingErrorCode.NOT_PENDING,
        )
    if booking.interval.end <= tx.now:
        raise ConflictError(
            "The requested time is over, so no decision is possible.",
            code=BookingErrorCode.ALREADY_OVER,
        )
