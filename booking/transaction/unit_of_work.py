"""The frame of every booking command: look, settle what is due, decide, write.

Two statements where nothing else is going on: the look, and a write that is refused if what was
seen has changed. Nobody holds a lock while Python thinks. A command that lost a race looks again
without a lock, and most often that answers it: its slot is gone. Only a command that would still
succeed, or that is about several rooms, locks them first, in ascending id: then it loses no more
races, and commands over the same rooms queue up instead of deadlocking. A room of a divisible hall
is treated as if its first race were lost: its guard would be several rooms' versions. Nothing
outside Postgres is called from inside.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext, suppress
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from django.db import IntegrityError, OperationalError, connection, transaction

from booking.domain.booking_data import BookingData
from booking.domain.changes import without_slot
from booking.domain.states import BookingState
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.read_snapshot import SnapshotQuery, read_snapshot
from booking.transaction.step_hooks import Step, reach
from booking.transaction.waitlist_offers import offer_freed_slots
from booking.transaction.write_changes import (
    OVERTAKEN,
    Change,
    ConcurrentChangeError,
    ExpectedVersions,
    write_changes,
)
from meeting_rooms.kernel.actor import SYSTEM_ACTOR
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import UnavailableError
from rooms.domain.effective_policy import RoomPolicy
from rooms.models import Room
from rooms.policies.cache import room_policies

ATTEMPTS = 6
TRY_AGAIN = frozenset({"40P01", "40001"})  # deadlock detected, serialization failure

T = TypeVar("T")
EMPTY_QUERY = SnapshotQuery()
RoomsOf = Collection[UUID] | Callable[[], Collection[UUID]]
SnapshotQuerySource = SnapshotQuery | Callable[[Mapping[UUID, RoomPolicy]], SnapshotQuery]


def run_in_rooms(
    command: Callable[[CommandContext], T],
    *,
    rooms: RoomsOf,
    query: SnapshotQuerySource = EMPTY_QUERY,
    clock: Clock = DATABASE_CLOCK,
) -> T:
    """Decide about these rooms and store what was decided; return what the command returned.

    Where what to look at depends on the rooms, `query` is asked with their rules; where the rooms
    depend on what is stored, `rooms` is asked before each attempt.
    Guarantees: what the command saw of the rooms, their rules and the person's quotas holds when
    its changes are stored; all of them are or none. A command about one room that is refused has
    not queued for the room's lock, unless the reason came up while it waited there. The command
    may run again from the start, so it keeps nothing of an earlier run and writes nothing itself.
    Raises NotFoundError for an unknown or inactive room, UnavailableError after six tries, and
    whatever the command raises.
    """
    for number in range(ATTEMPTS):
        try:
            found = room_policies(rooms() if callable(rooms) else rooms)
            reach(Step.ROOMS_CHOSEN)
            is_locked = number > 0 or len(found) > 1 or len(found[0].division) > 1
            if is_locked and (done := _without_lock(command, found, query, clock)):
                return done.answer
            return _attempt(command, found, query, clock, is_locked=is_locked)
        except ConcurrentChangeError:
            continue
        except OperationalError as exc:
            if connection.in_atomic_block or not _is_worth_another_try(exc):
                raise
    raise UnavailableError("Too many people book this room right now. Try again.")


def preview_in_rooms(
    command: Callable[[CommandContext], T],
    *,
    rooms: Collection[UUID],
    query: SnapshotQuerySource,
    clock: Clock = DATABASE_CLOCK,
) -> T:
    """Return what the command would decide at this moment. Nothing is locked, settled or stored.

    What is due does not count, as if it had been settled. Raises what `run_in_rooms` raises.
    """
    tx, _ = _open(room_policies(rooms), query, clock)
    standing = tuple(other for other in tx.snapshot.neighbours if other.takes_slot_at(tx.now))
    tx.snapshot = tx.snapshot._replace(neighbours=standing, due=())
    return command(tx)


class _Done(NamedTuple, Generic[T]):
    """The answer of a command that has nothing to store."""

    answer: T


def _without_lock(
    command: Callable[[CommandContext], T],
    rooms: list[RoomPolicy],
    looking_at: SnapshotQuerySource,
    clock: Clock,
) -> _Done[T] | None:
    """Decide from a look without any lock; return the answer if that is final, None if not.

    Final is a refusal, which is raised, and an answer that changes nothing, such as the one of a
    request that was sent twice. What is due must be settled first, and what would be stored must
    be decided under the lock: those are not final. Nor is anything about several rooms: such a
    command reads more after the look, and only the locks make that one view.
    """
    if len(rooms) > 1:
        return None
    with suppress(ConcurrentChangeError):
        tx, _ = _open(rooms, looking_at, clock)
        if not tx.snapshot.due:
            answer = command(tx)
            if not tx.stores_anything:
                return _Done(answer)
    return None


def _attempt(
    command: Callable[[CommandContext], T],
    rooms: list[RoomPolicy],
    looking_at: SnapshotQuerySource,
    clock: Clock,
    *,
    is_locked: bool,
) -> T:
    with transaction.atomic() if is_locked else nullcontext():
        if is_locked:
            _lock(rooms)
        tx, query = _open(rooms, looking_at, clock)
        if tx.snapshot.due:
            _settle(tx, is_locked=is_locked)
            tx, query = _open(rooms, looking_at, clock)
        result = command(tx)
        _store(tx, query, is_locked=is_locked)
    reach(Step.COMMITTED, tx.snapshot)
    return result


def _open(
    rooms: Collection[RoomPolicy], looking_at: SnapshotQuerySource, clock: Clock
) -> tuple[CommandContext, SnapshotQuery]:
    """Look at the rooms by the rules of this moment."""
    query = _told(looking_at, rooms)
    snapshot = read_snapshot(rooms, query, clock=clock)
    reach(Step.SNAPSHOT_READ, snapshot)
    if any(room.version != snapshot.rules_version for room in rooms):
        rooms = room_policies([room.uuid for room in rooms], version=snapshot.rules_version)
        query = _told(looking_at, rooms)
        snapshot = read_snapshot(rooms, query, clock=clock)
        reach(Step.SNAPSHOT_READ, snapshot)
    return CommandContext({room.uuid: room for room in rooms}, snapshot, query.windows), query


def _told(looking_at: SnapshotQuerySource, rooms: Collection[RoomPolicy]) -> SnapshotQuery:
    if isinstance(looking_at, SnapshotQuery):
        return looking_at
    return looking_at({room.uuid: room for room in rooms})


def _store(tx: CommandContext, query: SnapshotQuery, *, is_locked: bool) -> None:
    """Store what was decided. Raises ConcurrentChangeError where something else came first."""
    if tx.snapshot.has_waiting and any(change.before for change in tx.changes):
        offer_freed_slots(tx)
    person = query.person if query.counts or tx.snapshot.usage else None
    guard = ExpectedVersions(tx.touched(), person, tx.snapshot, is_locked)
    try:
        with transaction.atomic() if tx.also else nullcontext():
            if guard.rooms:
                reach(Step.BEFORE_WRITE, tx.snapshot)
                write_changes(tx.changes, guard)
                reach(Step.CHANGES_WRITTEN, tx.snapshot)
            for write in tx.also:
                write()
            reach(Step.BEFORE_COMMIT, tx.snapshot)
    except IntegrityError as exc:
        if getattr(exc.__cause__, "sqlstate", None) not in OVERTAKEN:
            raise
        raise ConcurrentChangeError from exc


def _lock(rooms: Collection[RoomPolicy]) -> None:
    ids = sorted({room.lock_id for room in rooms})
    list(Room.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"))


def _settle(tx: CommandContext, *, is_locked: bool) -> None:
    """Give back what was due, whoever came by first."""
    tx.changes = [_lapsed(booking) for booking in tx.snapshot.due]
    _store(tx, EMPTY_QUERY, is_locked=is_locked)


def _lapsed(due: BookingData) -> Change:
    match due.state:
        case BookingState.HELD:
            after, command, told = BookingState.LAPSED, "expire_hold", "The hold ran out at"
        case BookingState.PENDING:
            after, command, told = BookingState.REJECTED, "reject_booking", "Nobody decided by"
        case _:
            after, command, told = BookingState.RELEASED, "release_no_show", "Nobody checked in by"
    reason = f"{told} {due.lapses_at:%H:%M:%S} UTC"
    return Change.of(due, without_slot(due, after), SYSTEM_ACTOR, command, reason)


def _is_worth_another_try(exc: OperationalError) -> bool:
    return getattr(exc.__cause__, "sqlstate", None) in TRY_AGAIN
