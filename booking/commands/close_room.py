"""Commands: take a room out of service, and bring it back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, ClosureFacts
from booking.domain.changes import flagged, moved, with_decision, without_slot
from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import shown
from booking.domain.multi_room import as_one_booking
from booking.domain.policy_checks import evaluate, refuse_shared_floor
from booking.domain.states import BookingState
from booking.models import Booking
from booking.repository import bookings_in_the_way, parts_of
from booking.transaction.context import CommandContext, is_manager, release_holds
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.unit_of_work import run_in_rooms
from booking.transaction.write_changes import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import (
    ConflictError,
    InvalidCommandError,
    NotFoundError,
    PermissionDeniedError,
)
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy
from rooms.models import Closure
from rooms.policies.cache import room_policies
from rooms.queries import get_room

MAX_REASON_LENGTH = 100
MAX_LISTED = 500  # bookings in one answer
FURTHER_NOTICE = timedelta(days=3660)  # bookings beyond this are not looked at


class Fate(StrEnum):
    """What becomes of a booking in a room that is closed."""

    KEEP = "keep"  # it stays, and its people are on their own
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class CloseRoom:
    """What is asked for.

    `fates` says for each affected booking what becomes of it, or names its new room; `others` what
    becomes of those that it does not name.
    """

    room: UUID
    starts_at: datetime
    ends_at: datetime | None
    reason: str
    fates: Mapping[UUID, Fate | UUID] = field(default_factory=dict)
    others: Fate | None = None


def close_room(
    *, actor: Actor, wanted: CloseRoom, clock: Clock = DATABASE_CLOCK
) -> tuple[int, tuple[BookingData, ...]]:
    """Close the room for a while, or until further notice.

    Returns the closure's id and the bookings that were changed. Every booking in the way that is
    not over needs a fate that was agreed to: kept, cancelled, or moved to a named room, which the
    actor must run as well; holds are let go. Of a booking of several rooms one that is cancelled
    leaves it. What commits first decides: a booking made in the same instant is either listed here
    or refused there.
    Raises: ConflictError `bookings_affected`, whose `facts.bookings` lists the first 500 without a
    fate, of `facts.count`;
    SlotTakenError and RoomClosedError where a booking cannot move; PermissionDeniedError for others
    than those who run the room; InvalidCommandError; NotFoundError.
    """
    window = _window(wanted)
    targets = {pk: fate for pk, fate in wanted.fates.items() if isinstance(fate, UUID)}

    def run(tx: CommandContext) -> tuple[Closure, tuple[BookingData, ...]]:
        room = tx.rooms[wanted.room]
        _require_manager(actor, room)
        in_the_way = [
            booking
            for booking in tx.room_context(room).neighbours
            if booking.interval.overlaps(window) and booking.interval.end > tx.now
        ]
        affected = [b for b in in_the_way if b.state is not BookingState.HELD]
        _require_fates(affected, wanted)
        tx.closing[room.id] = window
        for booking in affected:
            change = _fated(tx, actor, booking, wanted)
            tx.changes += [change] if change else []
        _join_parts(tx, actor, wanted.reason.strip())
        release_holds(tx, (b for b in in_the_way if b.state is BookingState.HELD), actor)
        closure = Closure(
            room_id=room.id,
            starts_at=wanted.starts_at,
            ends_at=wanted.ends_at,
            reason=wanted.reason.strip(),
        )
        tx.marked.add(room.uuid)
        tx.also.append(closure.save)
        return closure, tuple(change.after for change in tx.changes)

    def query(_rooms: object) -> SnapshotQuery:
        moving = Booking.objects.filter(pk__in=targets)
        return SnapshotQuery(windows=(window, *(booking.as_data().interval for booking in moving)))

    def rooms() -> list[UUID]:
        met = bookings_in_the_way(get_room(wanted.room), window, now=clock.now())
        whole = Booking.objects.filter(group_id__in=met.values("group_id"), room__is_active=True)
        return sorted({wanted.room, *targets.values(), *whole.values_list("room__uuid", flat=True)})

    closure, changed = run_in_rooms(run, rooms=rooms, query=query, clock=clock)
    return closure.pk, changed


def reopen_room(*, actor: Actor, closure_id: int, clock: Clock = DATABASE_CLOCK) -> None:
    """End a closure now; one that has not begun is gone. The screens follow.

    Raises: NotFoundError; PermissionDeniedError.
    """
    closure = Closure.objects.select_related("room").filter(pk=closure_id).first()
    if closure is None:
        raise NotFoundError(f"There is no closure {closure_id}.")

    def run(tx: CommandContext) -> None:
        _require_manager(actor, tx.rooms[closure.room.uuid])
        tx.marked.add(closure.room.uuid)
        stored = Closure.objects.filter(pk=closure_id)
        if closure.starts_at < tx.now:
            still_closed = stored.exclude(ends_at__lte=tx.now)
            tx.also.append(lambda: still_closed.update(ends_at=tx.now))
        else:
            tx.also.append(stored.delete)

    run_in_rooms(run, rooms=(closure.room.uuid,), clock=clock)


def _window(wanted: CloseRoom) -> Interval:
    if not 1 <= len(wanted.reason.strip()) <= MAX_REASON_LENGTH:
        raise InvalidCommandError(
            f"Say why in 1 to {MAX_REASON_LENGTH} characters: people will ask.",
            code=BookingErrorCode.BAD_REASON,
        )
    return Interval.of(wanted.starts_at, wanted.ends_at or wanted.starts_at + FURTHER_NOTICE)


def _require_manager(actor: Actor, room: RoomPolicy) -> None:
    if not is_manager(actor, room):
        raise PermissionDeniedError("Only those who run the room close and open it.")


def _require_fates(affected: list[BookingData], wanted: CloseRoom) -> None:
    undecided = [booking for booking in affected if booking.id not in wanted.fates]
    if undecided and wanted.others is None:
        raise ConflictError(
            f"{len(undecided)} bookings are in the way. Say for each whether it is kept, "
            "cancelled or moved, and to which room.",
            code=BookingErrorCode.BOOKINGS_AFFECTED,
            facts={
                "count": len(undecided),
                "bookings": [
                    {"id": str(b.id), **shown(b.interval)} for b in undecided[:MAX_LISTED]
                ],
            },
        )


def _moved_away(tx: CommandContext, booking: BookingData, room: RoomPolicy) -> BookingData:
    """Return the booking in another room, whose rules its manager overrides."""
    tx.require_in_snapshot(booking.interval)
    known = tx.room_context(room)
    earlier = tuple(c.after for c in tx.changes if c.after.room_id in room.related)
    request = BookingRequest(
        interval=booking.interval,
        person=booking.organizer_id,
        is_manager=True,
        attendees=booking.attendees,
        replaces=frozenset({booking.id}),
        is_standing=booking.interval.start <= tx.now,
    )
    closing = (
        ClosureFacts(window.start, window.end, "it is being closed")
        for pk, window in tx.closing.items()
        if pk in room.related
    )
    beside = replace(
        known,
        neighbours=(*known.neighbours, *earlier),
        closures=(*known.closures, *closing),
    )
    decision = evaluate(request, room, beside, now=tx.now)
    after = moved(booking, room, booking.interval)
    return (
        flagged(after, decision)
        if booking.interval.start <= tx.now
        else with_decision(after, decision)
    )


def _join_parts(tx: CommandContext, actor: Actor, reason: str) -> None:
    """Let the parts of each booking that lost or moved one be one booking again."""
    changes = {change.after.id: change for change in tx.changes}
    for change in tx.changes:
        group = change.before.group_id if change.before else None
        if group is None:
            continue
        whole = {part.id: part for part in parts_of(change.after.id)}
        parts = [changes[pk].after if pk in changes else part for pk, part in whole.items()]
        staying = [part for part in parts if part.group_id == group]
        refuse_shared_floor([tx.room_of(part) for part in staying])
        for part in as_one_booking(staying, group, tx.room_of, now=tx.now):
            if part.id in changes:
                changes[part.id] = replace(changes[part.id], after=part)
            elif part != whole[part.id]:
                changes[part.id] = Change.of(whole[part.id], part, actor, "close_room", reason)
    tx.changes[:] = changes.values()


def _room_of(booking: BookingData, tx: CommandContext) -> RoomPolicy:
    """Return the rules of the booking's own room, which may be the hall of the one closed.

    Who runs the room that is closed decides about what is left in a retired part of it.
    """
    try:
        [room] = room_policies([booking.room], version=tx.snapshot.rules_version)
    except NotFoundError:
        [closed] = tx.closing
        return next(room for room in tx.rooms.values() if room.id == closed)
    return room


def _fated(
    tx: CommandContext, actor: Actor, booking: BookingData, wanted: CloseRoom
) -> Change | None:
    match wanted.fates.get(booking.id, wanted.others):
        case Fate.KEEP | None:  # None cannot be: `_require_fates` has asked
            return None
        case Fate.CANCEL:
            _require_manager(actor, _room_of(booking, tx))
            after = replace(without_slot(booking, BookingState.CANCELLED), group_id=None)
        case room_uuid:
            for room in (_room_of(booking, tx), tx.rooms[room_uuid]):
                _require_manager(actor, room)
            after = _moved_away(tx, booking, tx.rooms[room_uuid])
    return Change.of(booking, after, actor, "close_room", wanted.reason.strip())
