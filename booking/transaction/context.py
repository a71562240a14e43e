"""The context of a booking command: its rooms, its snapshot, and the changes it has decided."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, RoomContext
from booking.domain.changes import without_slot
from booking.domain.policy_checks import counted, own_holds
from booking.domain.states import BookingState
from booking.transaction.read_snapshot import EMPTY_QUERY, Snapshot, SnapshotQuery
from booking.transaction.write_changes import Change, ConcurrentChangeError
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy


@dataclass(slots=True)
class CommandContext:
    """The input of a command and the changes that it has decided so far.

    `snapshot` is the answer to `query`. `changes` are stored together; `also` are writes to other
    tables in the same transaction, and `marked` are the rooms whose screens show those writes.
    `closing` are the intervals, by room id, that this command takes out of service.
    """

    rooms: dict[UUID, RoomPolicy]
    snapshot: Snapshot
    query: SnapshotQuery = EMPTY_QUERY
    changes: list[Change] = field(default_factory=list)
    also: list[Callable[[], object]] = field(default_factory=list)
    marked: set[UUID] = field(default_factory=set)
    closing: dict[int, Interval] = field(default_factory=dict)

    def room_of(self, booking: BookingData) -> RoomPolicy:
        """Return the rules of the booking's room.

        Raises ConcurrentChangeError if the booking moved to this room after the rooms were chosen.
        """
        room = self.rooms.get(booking.room)
        if room is None:
            raise ConcurrentChangeError
        return room

    def require_in_snapshot(self, interval: Interval) -> None:
        """Raise ConcurrentChangeError unless the snapshot covers `interval`.

        A command reads its booking before the snapshot and again after it. Another command may move
        the booking in between.
        """
        if not any(w.start <= interval.start and interval.end <= w.end for w in self.query.windows):
            raise ConcurrentChangeError

    @property
    def now(self) -> datetime:
        """Return the instant of the snapshot, which is the present for this command."""
        return self.snapshot.now

    @property
    def stores_anything(self) -> bool:
        """Return whether the command has decided any change."""
        return bool(self.changes or self.also or self.marked)

    def room_context(self, room: RoomPolicy) -> RoomContext:
        """Return what the snapshot holds about one room and the rooms that share its floor."""
        snapshot = self.snapshot
        neighbours = snapshot.neighbours
        if len(self.rooms) > 1:
            neighbours = tuple(other for other in neighbours if other.room_id in room.related)
        closures = [c for room_id in room.related for c in snapshot.closures.get(room_id, ())]
        return RoomContext(neighbours, tuple(closures), snapshot.usage)

    def count(self, interval: Interval, room: RoomPolicy) -> None:
        """Add a decided booking to the quota usage for the next bookings of this command."""
        if len(self.rooms) > 1:  # a command in one room makes no second booking
            self.snapshot = self.snapshot._replace(
                usage=counted(self.snapshot.usage, interval, room)
            )

    def touched(self) -> list[int]:
        """Return the ids of the rooms whose screens show any of the changes."""
        if not self.changes and not self.marked:
            return []
        if len(self.rooms) == 1:
            [room] = self.rooms.values()
            return [*room.division]
        changed = {change.after.room_id for change in self.changes}
        changed |= {change.before.room_id for change in self.changes if change.before}
        changed |= {self.rooms[uuid].id for uuid in self.marked}
        for room in self.rooms.values():
            if not changed.isdisjoint(room.division):
                changed.update(room.division)
        return sorted(changed)


def request_of(
    tx: CommandContext, actor: Actor, room: RoomPolicy, interval: Interval, attendees: int | None
) -> tuple[BookingRequest, RoomContext, list[BookingData]]:
    """Return the actor's request for a new booking, what is known of its room, and the own holds.

    The booking replaces the own holds. Holds that this command has already changed are not listed;
    they do not block the booking.
    """
    known = tx.room_context(room)
    changed = {change.after.id for change in tx.changes}
    overlapping = own_holds(known.neighbours, interval, actor.user_id)
    holds = [hold for hold in overlapping if hold.id not in changed]
    request = BookingRequest(
        interval=interval,
        person=actor.user_id,
        is_manager=is_manager(actor, room),
        attendees=attendees,
        replaces=frozenset({*changed, *(hold.id for hold in holds)}),
    )
    return request, known, holds


def release_holds(tx: CommandContext, holds: Iterable[BookingData], actor: Actor) -> None:
    """Add the release of these holds to the changes, except of holds that already change."""
    decided = {change.after.id for change in tx.changes}
    tx.changes += [
        Change.of(hold, without_slot(hold, BookingState.LAPSED), actor, "release_hold")
        for hold in holds
        if hold.id not in decided
    ]


def is_manager(actor: Actor, room: RoomPolicy) -> bool:
    """Return whether the actor is a manager of this room. Every admin is one."""
    return actor.is_admin or (actor.user_id is not None and actor.user_id in room.policy.managers)
