"""Command: change the time, the room or the details of a booking."""

from dataclasses import dataclass, replace
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest
from booking.domain.changes import DetailsEdit, flagged, moved, with_decision
from booking.domain.error_codes import BookingErrorCode
from booking.domain.multi_room import as_one_booking
from booking.domain.policy_checks import (
    evaluate,
    own_holds,
    refuse_endless,
    refuse_more_than_seats,
    refuse_shared_floor,
)
from booking.domain.shorten import gives_time_back, shortened
from booking.domain.states import STATES_THAT_CAN_BE_CHANGED, BookingState
from booking.repository import parts_of
from booking.transaction.change_booking import require_organizer
from booking.transaction.context import CommandContext, is_manager, release_holds
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.if_match import refuse_stale
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.unit_of_work import run_in_rooms
from booking.transaction.write_changes import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError
from meeting_rooms.kernel.interval import Interval


@dataclass(frozen=True, slots=True)
class BookingEdit:
    """A request to change a booking. A member that is None does not change."""

    interval: Interval | None = None
    room: UUID | None = None
    title: str | None = None
    private: bool | None = None
    attendees: int | None = None

    @property
    def details(self) -> DetailsEdit:
        """Return the changes of title, privacy and attendees."""
        return DetailsEdit(self.title, self.private, self.attendees)

    @property
    def moves(self) -> bool:
        """Return whether the edit changes the time or the room."""
        return self.interval is not None or self.room is not None


def edit_booking(
    *,
    actor: Actor,
    booking_id: UUID,
    edit: BookingEdit,
    expected_version: int | None = None,
    clock: Clock = DATABASE_CLOCK,
) -> BookingData:
    """Change the booking and return the changed booking.

    If neither time nor room changes, only the number of attendees is checked. Otherwise the rules
    evaluate the new slot like the slot of a new booking, without the old slot of this booking: the
    booking may need approval again and a new check-in. A booking that only becomes shorter is not
    evaluated. If the booking has started, only its end can change, to now or later. A multi-room
    booking changes its time in all its rooms.
    Raises: StaleVersionError if `expected_version` is not the stored version; NotFoundError for an
    unknown booking or room; PermissionDeniedError unless the actor is the organizer or a room
    manager; ConflictError `not_changeable`, `already_over`, `already_started`, `needs_approval`;
    InvalidCommandError `in_the_past`, `too_long`, `rooms_overlap`; and what `clean_title` and
    `evaluate` raise.
    """
    if edit.interval is not None:
        refuse_endless(edit.interval)

    def run(tx: CommandContext) -> BookingData:
        parts = parts_of(booking_id)
        replaces = frozenset(part.id for part in parts)
        after = []
        for before in parts:
            tx.room_of(before)
            require_organizer(actor, before, tx)
            is_named = before.id == booking_id
            if is_named:
                refuse_stale(before, expected_version, actor)
            part_edit = _for_part(edit, is_named=is_named)
            edited = _edited(tx, actor, before, part_edit, replaces)
            tx.count(edited.interval, tx.rooms[edited.room])
            after.append(edited)
        refuse_shared_floor([tx.rooms[part.room] for part in after])
        if parts[0].group_id is not None and edit.moves:
            after = as_one_booking(after, parts[0].group_id, tx.room_of, now=tx.now)
        changes = [
            Change.of(before, part, actor, "edit_booking")
            for before, part in zip(parts, after, strict=True)
            if part != before
        ]
        tx.changes += changes
        stored = {part.id: part for part in (*parts, *(change.after for change in changes))}
        return stored[booking_id]

    def query(_rooms: object) -> SnapshotQuery:
        parts = parts_of(booking_id)
        return SnapshotQuery(
            windows=tuple({edit.interval or part.interval for part in parts}),
            person=parts[0].organizer_id,
            besides=frozenset(part.id for part in parts),
        )

    def rooms() -> list[UUID]:
        own = {part.room for part in parts_of(booking_id)}
        return sorted(own | {edit.room} if edit.room else own)

    return run_in_rooms(run, rooms=rooms, query=query, clock=clock)


def _for_part(edit: BookingEdit, *, is_named: bool) -> BookingEdit:
    """Return the edit of one part: only the named part changes its room."""
    return edit if is_named else replace(edit, room=None)


def _edited(
    tx: CommandContext,
    actor: Actor,
    before: BookingData,
    edit: BookingEdit,
    replaces: frozenset[UUID],
) -> BookingData:
    if before.state not in STATES_THAT_CAN_BE_CHANGED:
        raise ConflictError(
            f"The booking is {before.state} and cannot be changed. Make a new booking instead.",
            code=BookingErrorCode.NOT_CHANGEABLE,
        )
    if before.interval.end <= tx.now:
        raise ConflictError(
            "The booking is over and cannot be changed.", code=BookingErrorCode.ALREADY_OVER
        )
    after = edit.details.of(before)
    room = tx.rooms[edit.room or before.room]
    interval = edit.interval or before.interval
    refuse_more_than_seats(before, after, room, is_manager=is_manager(actor, room))
    if (room.uuid, interval) == (before.room, before.interval):
        return after
    return _in_another_slot(tx, actor, before, moved(after, room, interval), replaces)


def _in_another_slot(
    tx: CommandContext,
    actor: Actor,
    before: BookingData,
    after: BookingData,
    replaces: frozenset[UUID],
) -> BookingData:
    room = tx.rooms[after.room]
    is_running = before.interval.start <= tx.now
    if is_running and (after.room, after.interval.start) != (before.room, before.interval.start):
        raise ConflictError(
            "The booking has started, so only its end can change. "
            "End it and make a new booking to move it.",
            code=BookingErrorCode.ALREADY_STARTED,
        )
    if after.interval.end <= tx.now:
        raise InvalidCommandError(
            "A booking cannot end in the past. End the booking now instead.",
            code=BookingErrorCode.IN_THE_PAST,
        )
    if gives_time_back(before, after):
        return shortened(before, after, room, now=tx.now)
    tx.require_in_snapshot(after.interval)
    known = tx.room_context(room)
    holds = own_holds(known.neighbours, after.interval, actor.user_id)
    request = BookingRequest(
        interval=after.interval,
        person=after.organizer_id,
        is_manager=is_manager(actor, room),
        attendees=after.attendees,
        replaces=replaces | {hold.id for hold in holds},
        is_standing=is_running,
    )
    decision = evaluate(request, room, known, now=tx.now)
    release_holds(tx, holds, actor)
    if is_running and decision.state is BookingState.PENDING:
        raise ConflictError(
            "Extending this booking needs approval. Ask a room manager to extend it.",
            code=BookingErrorCode.NEEDS_APPROVAL,
        )
    return flagged(after, decision) if is_running else with_decision(after, decision)
