"""Command: undo a cancellation or the release of a no-show, while the slot is still free."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest
from booking.domain.error_codes import BookingErrorCode
from booking.domain.policy_checks import check_in_deadline, evaluate
from booking.domain.states import (
    STATES_THAT_CAN_BE_RESTORED,
    STATES_THAT_MAY_TAKE_THE_SLOT,
    BookingState,
)
from booking.models import AuditEntry, Series
from booking.repository import get_booking
from booking.transaction.change_booking import ChangeOptions, change_booking, require_organizer
from booking.transaction.context import CommandContext, is_manager
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.read_snapshot import SnapshotQuery
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError

UNDO_WITHIN = timedelta(minutes=5)  # for organizers; room managers have until the booking ends


def restore_booking(
    *, actor: Actor, booking_id: UUID, clock: Clock = DATABASE_CLOCK
) -> BookingData:
    """Restore the booking to its state before it was cancelled or released, and return it.

    A confirmed booking that has started is restored as checked in. If the time zone of the building
    was corrected meanwhile, the booking has its corrected times. An organizer can restore for five
    minutes, a room manager until the end of the booking.
    Raises: SlotTakenError and RoomClosedError if the slot is no longer free; RuleError if the
    booking would break a rule, such as a quota or a gap; ConflictError `nothing_to_undo`,
    `too_late_to_undo`, `already_over`; NotFoundError for an unknown booking; PermissionDeniedError
    unless the actor is the organizer or a room manager.
    """

    def restore(booking: BookingData, tx: CommandContext) -> BookingData:
        require_organizer(actor, booking, tx)
        room = tx.rooms[booking.room]
        before = _before_it_ended(booking, tx, is_manager=is_manager(actor, room))
        tx.require_in_snapshot(booking.interval)
        known = tx.room_context(room)
        request = BookingRequest(
            interval=booking.interval,
            person=booking.organizer_id,
            is_manager=is_manager(actor, room),
            is_standing=True,
        )
        evaluate(request, room, known, now=tx.now)
        tx.count(booking.interval, room)
        has_begun = booking.interval.start <= tx.now
        if has_begun and before.state is BookingState.CONFIRMED:
            return replace(before, state=BookingState.CHECKED_IN, lapses_at=None)
        if has_begun and before.state is BookingState.PENDING:
            return replace(before, lapses_at=booking.interval.end)
        if before.state is BookingState.CHECKED_IN and not has_begun:
            deadline = check_in_deadline(booking.interval, room.policy, now=tx.now)
            return replace(before, state=BookingState.CONFIRMED, lapses_at=deadline)
        return before

    def query(_rooms: object) -> SnapshotQuery:
        booking = get_booking(booking_id)
        return SnapshotQuery(windows=(booking.interval,), person=booking.organizer_id)

    return change_booking(
        actor=actor,
        booking_id=booking_id,
        command="restore_booking",
        change=restore,
        clock=clock,
        options=ChangeOptions(query=query, rejoins_parts=True),
    )


def _before_it_ended(booking: BookingData, tx: CommandContext, *, is_manager: bool) -> BookingData:
    if booking.state not in STATES_THAT_CAN_BE_RESTORED:
        raise ConflictError(
            f"The booking is {booking.state}, so there is nothing to restore.",
            code=BookingErrorCode.NOTHING_TO_UNDO,
        )
    if booking.interval.end <= tx.now:
        raise ConflictError(
            "The time of the booking is over. Make a new booking.",
            code=BookingErrorCode.ALREADY_OVER,
        )
    ended = AuditEntry.objects.filter(booking_id=booking.id, after__state=booking.state)
    entry = ended.filter(before__state__in=STATES_THAT_MAY_TAKE_THE_SLOT).last()
    if entry is None or entry.before is None:
        raise ConflictError(
            "There is nothing to restore. Make a new booking.",
            code=BookingErrorCode.NOTHING_TO_UNDO,
        )
    if not is_manager and tx.now - entry.at > UNDO_WITHIN:
        raise ConflictError(
            "A booking can be restored for five minutes only. Book the slot again if it is free.",
            code=BookingErrorCode.TOO_LATE_TO_UNDO,
        )
    before = BookingData.from_row(entry.before)
    by = booking.interval.start - before.interval.start
    # The other members keep their stored values: the zone may have been corrected, and the booking
    # may have moved to another series or lost its parts.
    return replace(
        booking,
        state=before.state,
        takes_slot=before.takes_slot,
        lapses_at=before.lapses_at and before.lapses_at + by,
        private=booking.private or _is_hidden(booking.series_id),
    )


def _is_hidden(series_id: UUID | None) -> bool:
    """Return whether the booking is a date of a private series.

    The series may have become private after the booking was cancelled.
    """
    if series_id is None:
        return False
    return Series.objects.filter(pk=series_id, is_private=True).exists()
