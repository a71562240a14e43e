"""Commands: take a room out of service for an interval, and end a closure."""

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

MAX_REASON_LENGTH = 100  # characters, as in the database column
MAX_LISTED = 500  # bookings in one answer, as in every list of the API
FURTHER_NOTICE = timedelta(days=3660)  # the largest advance window; later bookings are not checked


class Fate(StrEnum):
    """The action on a booking that overlaps a closure."""

    KEEP = "keep"  # the booking stays, although the room is closed
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class CloseRoom:
    """A request to close a room.

    `fates` maps the id of an affected booking to its action, or to the room to move the booking to.
    `others` is the action on every affected booking that `fates` does not name.
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
    """Close the room for an interval or until further notice.

    Returns the id of the closure and the bookings that were changed. The request must name an
    action for every booking that overlaps the closure and is not over: keep, cancel, or move to a
    named room, which the actor must manage too. Holds are released. A cancelled part leaves its
    multi-room booking; the other parts stay. If a booking is made at the same time, the command
    that commits first wins: the booking is either listed here or refused.
    Raises: ConflictError `bookings_affected` if a booking has no action; `facts.count` is the
    number of such bookings, and `facts.bookings` lists the first 500. SlotTakenError and
    RoomClosedError if a booking cannot move; PermissionDeniedError for an actor who is not a room
    manager; InvalidCommandError for a bad reason or interval, and `rooms_overlap`; NotFoundError
    for an unknown room.
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
        _require_actions(affected, wanted)
        tx.closing[room.id] = window
        for booking in affected:
            change = _change_affected(tx, actor, booking, wanted)
            tx.changes += [change] if change else []
        _rejoin_parts(tx, actor, wanted.reason.strip())
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
        parts = Booking.objects.filter(group_id__in=met.values("group_id"), room__is_active=True)
        return sorted({wanted.room, *targets.values(), *parts.values_list("room__uuid", flat=True)})

    closure, changed = run_in_rooms(run, rooms=rooms, query=query, clock=clock)
    return closure.pk, changed


def reopen_room(*, actor: Actor, closure_id: int, clock: Clock = DATABASE_CLOCK) -> None:
    """End a closure now; delete a closure that has not begun. The screens of the room follow.

    Raises: NotFoundError for an unknown closure or a retired room; PermissionDeniedError for an
    actor who is not a room manager.
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
            f"Give a reason of 1 to {MAX_REASON_LENGTH} characters.",
            code=BookingErrorCode.BAD_REASON,
        )
    return Interval.of(wanted.starts_at, wanted.ends_at or wanted.starts_at + FURTHER_NOTICE)


def _require_manager(actor: Actor, room: RoomPolicy) -> None:
    if not is_manager(actor, room):
        raise PermissionDeniedError(
            "Only a room manager can close or reopen a room. Ask a room manager."
        )


def _require_actions(affected: list[BookingData], wanted: CloseRoom) -> None:
    undecided = [booking for booking in affected if booking.id not in wanted.fates]
    if undecided and wanted.others is None:
        raise ConflictError(
            f"Bookings that overlap the closure: {len(undecided)}. "
            "Choose for each booking: keep it, cancel it, or move it to a named room.",
            code=BookingErrorCode.BOOKINGS_AFFECTED,
            facts={
                "count": len(undecided),
                "bookings": [
                    {"id": str(b.id), **shown(b.interval)} for b in undecided[:MAX_LISTED]
                ],
            },
        )


def _moved_away(tx: CommandContext, booking: BookingData, room: RoomPolicy) -> BookingData:
    """Return the booking in another room; the actor overrides the rules of that room."""
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
        ClosureFacts(window.start, window.end, "closed by this request")
        for pk, window in tx.closing.items()
        if pk in room.related
    )
    context = replace(
        known,
        neighbours=(*known.neighbours, *earlier),
        closures=(*known.closures, *closing),
    )
    decision = evaluate(request, room, context, now=tx.now)
    after = moved(booking, room, booking.interval)
    return (
        flagged(after, decision)
        if booking.interval.start <= tx.now
        else with_decision(after, decision)
    )


def _rejoin_parts(tx: CommandContext, actor: Actor, reason: str) -> None:
    """Join the parts of each multi-room booking that lost or moved a part.

    Raises InvalidCommandError `rooms_overlap` if two of its rooms share floor now.
    """
    changes = {change.after.id: change for change in tx.changes}
    for change in tx.changes:
        group = change.before.group_id if change.before else None
        if group is None:
            continue
        stored = {part.id: part for part in parts_of(change.after.id)}
        parts = [changes[pk].after if pk in changes else part for pk, part in stored.items()]
        staying = [part for part in parts if part.group_id == group]
        refuse_shared_floor([tx.room_of(part) for part in staying])
        for part in as_one_booking(staying, group, tx.room_of, now=tx.now):
            if part.id in changes:
                changes[part.id] = replace(changes[part.id], after=part)
            elif part != stored[part.id]:
                changes[part.id] = Change.of(stored[part.id], part, actor, "close_room", reason)
    tx.changes[:] = changes.values()


def _room_of(booking: BookingData, tx: CommandContext) -> RoomPolicy:
    """Return the rules of the booking's room, which may be the hall of the closed room or a part.

    For a booking in a retired part, return the rules of the closed room: its manager decides.
    """
    try:
        [room] = room_policies([booking.room], version=tx.snapshot.rules_version)
    except NotFoundError:
        [closed] = tx.closing
        return next(room for room in tx.rooms.values() if room.id == closed)
    return room


def _change_affected(
    tx: CommandContext, actor: Actor, booking: BookingData, wanted: CloseRoom
) -> Change | None:
    """Return the change that the chosen action makes, or None if the booking is kept."""
    match wanted.fates.get(booking.id, wanted.others):
        case Fate.KEEP | None:  # never None: `_require_actions` has checked
            return None
        case Fate.CANCEL:
            _require_manager(actor, _room_of(booking, tx))
            after = replace(without_slot(booking, BookingState.CANCELLED), group_id=None)
        case room_uuid:
            for room in (_room_of(booking, tx), tx.rooms[room_uuid]):
                _require_manager(actor, room)
            after = _moved_away(tx, booking, tx.rooms[room_uuid])
    return Change.of(booking, after, actor, "close_room", wanted.reason.strip())
