"""The unit of work of every booking command: read a snapshot, expire due bookings, decide, write.

Without concurrent changes this takes two statements: one reads the snapshot, and one writes the
changes if the versions in the snapshot are still current. No lock is held while Python decides.
After a lost race the command reads again without a lock. Most often this gives the final answer:
the slot is taken. A command that would still succeed, or that affects several rooms, locks its
rooms first, in ascending id. Then it cannot lose another race, and commands for the same rooms
queue instead of deadlocking. A command for a room of a divisible hall locks from the start, because
one version cannot guard several rooms. The unit of work calls nothing outside Postgres.
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
from booking.transaction.database_clock import DATABASE_CLOCK, instant_for_sql
from booking.transaction.read_snapshot import EMPTY_QUERY, SnapshotQuery, read_snapshot
from booking.transaction.step_hooks import Step, reach
from booking.transaction.waitlist_offers import offer_freed_slots
from booking.transaction.write_changes import (
    LOST_RACE_SQLSTATES,
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

ATTEMPTS = 6  # the second one locks the rooms, so more are rare
RETRIED_SQLSTATES = frozenset({"40P01", "40001"})  # deadlock detected, serialization failure

T = TypeVar("T")
RoomsOf = Collection[UUID] | Callable[[], Collection[UUID]]
SnapshotQuerySource = SnapshotQuery | Callable[[Mapping[UUID, RoomPolicy]], SnapshotQuery]


def run_in_rooms(
    command: Callable[[CommandContext], T],
    *,
    rooms: RoomsOf,
    query: SnapshotQuerySource = EMPTY_QUERY,
    clock: Clock = DATABASE_CLOCK,
) -> T:
    """Run the command for these rooms, store the changes that it decides, and return its result.

    `query` may be a function of the rules of the rooms. `rooms` may be a function that reads the
    rooms from the database; it is called before each attempt.
    Guarantees: the snapshot is still true when the changes are stored, and either all changes are
    stored or none. A refused command for one room has not waited for the lock of the room, unless
    the reason for the refusal arose during the wait. The command may run several times, so it must
    keep no state between runs and must not write to the database itself.
    Raises NotFoundError for an unknown or retired room, UnavailableError after six attempts, and
    what the command raises.
    """
    for number in range(ATTEMPTS):
        try:
            found = room_policies(rooms() if callable(rooms) else rooms)
            reach(Step.ROOMS_CHOSEN)
            is_locked = number > 0 or len(found) > 1 or len(found[0].division) > 1
            if is_locked and (final := _without_lock(command, found, query, clock)):
                return final.answer
            return _attempt(command, found, query, clock, is_locked=is_locked)
        except ConcurrentChangeError:
            continue
        except OperationalError as exc:
            if connection.in_atomic_block or not _is_retried(exc):
                raise
    raise UnavailableError("Too many people are booking this room right now. Try again.")


def preview_in_rooms(
    command: Callable[[CommandContext], T],
    *,
    rooms: Collection[UUID],
    query: SnapshotQuerySource,
    clock: Clock = DATABASE_CLOCK,
) -> T:
    """Return what the command would return now. Nothing is locked, expired or stored.

    Due bookings are ignored, as if they had expired. Raises NotFoundError for an unknown or retired
    room, and what the command raises.
    """
    tx = _read_context(room_policies(rooms), query, clock)
    standing = tuple(other for other in tx.snapshot.neighbours if other.takes_slot_at(tx.now))
    tx.snapshot = tx.snapshot._replace(neighbours=standing, due=())
    return command(tx)


def read_second_snapshot(tx: CommandContext, query: SnapshotQuery) -> None:
    """Replace the snapshot of a running command by the answer to `query`, at the same instant.

    For a command that must read rows before it knows its query: it runs with an empty query, reads
    the rows and then calls this. Raises ConcurrentChangeError if the rooms or the rules have
    changed since the first snapshot, because the rows may have changed too.
    """
    versions = tx.snapshot.rooms_version, tx.snapshot.rules_version
    tx.snapshot = read_snapshot(tx.rooms.values(), query, now=tx.now)
    tx.query = query
    reach(Step.SNAPSHOT_READ, tx.snapshot)
    if versions != (tx.snapshot.rooms_version, tx.snapshot.rules_version):
        raise ConcurrentChangeError


class _FinalAnswer(NamedTuple, Generic[T]):
    """The answer of a command that has nothing to store."""

    answer: T


def _without_lock(
    command: Callable[[CommandContext], T],
    rooms: list[RoomPolicy],
    query_source: SnapshotQuerySource,
    clock: Clock,
) -> _FinalAnswer[T] | None:
    """Run the command without a lock; return its answer if the answer is final, else None.

    An answer that changes nothing is final, such as the answer to a repeated request. A refusal is
    final too, and is raised. The answer is not final if bookings are due, which must expire first,
    or if the command would store changes, which must be decided under the lock. For several rooms
    no answer is final: such a command reads more after the snapshot, and only locks keep these
    reads consistent with it.
    """
    if len(rooms) > 1:
        return None
    with suppress(ConcurrentChangeError):
        tx = _read_context(rooms, query_source, clock)
        if not tx.snapshot.due:
            answer = command(tx)
            if not tx.stores_anything:
                return _FinalAnswer(answer)
    return None


def _attempt(
    command: Callable[[CommandContext], T],
    rooms: list[RoomPolicy],
    query_source: SnapshotQuerySource,
    clock: Clock,
    *,
    is_locked: bool,
) -> T:
    with transaction.atomic() if is_locked else nullcontext():
        if is_locked:
            _lock(rooms)
        tx = _read_context(rooms, query_source, clock)
        if tx.snapshot.due:
            _expire_due(tx, is_locked=is_locked)
            tx = _read_context(rooms, query_source, clock)
        result = command(tx)
        _store(tx, tx.query, is_locked=is_locked)
    reach(Step.COMMITTED, tx.snapshot)
    return result


def _read_context(
    rooms: Collection[RoomPolicy], query_source: SnapshotQuerySource, clock: Clock
) -> CommandContext:
    """Read the snapshot; return it with its query and with rules of the version that it names."""
    query = _query_for(query_source, rooms)
    snapshot = read_snapshot(rooms, query, now=instant_for_sql(clock))
    reach(Step.SNAPSHOT_READ, snapshot)
    if any(room.version != snapshot.rules_version for room in rooms):
        rooms = room_policies([room.uuid for room in rooms], version=snapshot.rules_version)
        query = _query_for(query_source, rooms)
        snapshot = read_snapshot(rooms, query, now=instant_for_sql(clock))
        reach(Step.SNAPSHOT_READ, snapshot)
    return CommandContext({room.uuid: room for room in rooms}, snapshot, query)


def _query_for(query_source: SnapshotQuerySource, rooms: Collection[RoomPolicy]) -> SnapshotQuery:
    if isinstance(query_source, SnapshotQuery):
        return query_source
    return query_source({room.uuid: room for room in rooms})


def _store(tx: CommandContext, query: SnapshotQuery, *, is_locked: bool) -> None:
    """Store the decided changes. Raises ConcurrentChangeError after a lost race."""
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
        if getattr(exc.__cause__, "sqlstate", None) not in LOST_RACE_SQLSTATES:
            raise
        raise ConcurrentChangeError from exc


def _lock(rooms: Collection[RoomPolicy]) -> None:
    ids = sorted({room.lock_id for room in rooms})
    list(Room.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"))


def _expire_due(tx: CommandContext, *, is_locked: bool) -> None:
    """Store the expiry of the due bookings. Raises ConcurrentChangeError after a lost race."""
    tx.changes = [_expired(booking) for booking in tx.snapshot.due]
    _store(tx, EMPTY_QUERY, is_locked=is_locked)


def _expired(due: BookingData) -> Change:
    match due.state:
        case BookingState.HELD:
            after, command, cause = BookingState.LAPSED, "expire_hold", "The hold expired at"
        case BookingState.PENDING:
            after, command, cause = BookingState.REJECTED, "reject_booking", "No decision by"
        case _:
            after, command, cause = BookingState.RELEASED, "release_no_show", "No check-in by"
    reason = f"{cause} {due.lapses_at:%H:%M:%S} UTC"
    return Change.of(due, without_slot(due, after), SYSTEM_ACTOR, command, reason)


def _is_retried(exc: OperationalError) -> bool:
    return getattr(exc.__cause__, "sqlstate", None) in RETRIED_SQLSTATES
