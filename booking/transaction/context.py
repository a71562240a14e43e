"""What a booking command decides from, and what it has decided."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import RoomContext
from booking.domain.changes import without_slot
from booking.domain.policy_checks import counted
from booking.domain.states import BookingState
from booking.transaction.read_snapshot import Snapshot
from booking.transaction.write_changes import Change, ConcurrentChangeError
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy


@dataclass(slots=True)
class CommandContext:
    """What a command decides from, and what it has decided so far.

    `windows` are the stretches that were looked at. `changes` are stored together; `also` are
    writes to other tables in the same transaction, and `marked` the rooms whose screens show those.
    `closing` are stretches, by room id, that this very command takes out of service.
    """

    rooms: dict[UUID, RoomPolicy]
    snapshot: Snapshot
    windows: Sequence[Interval] = ()
    changes: list[Change] = field(default_factory=list)
    also: list[Callable[[], object]] = field(default_factory=list)
    marked: set[UUID] = field(default_factory=set)
    closing: dict[int, Interval] = field(default_factory=dict)

    def room_of(self, booking: BookingData) -> RoomPolicy:
        """Return the rules of the booking's room.

        Raises ConcurrentChangeError where the booking was moved there after the rooms were looked
        up.
        """
        room = self.rooms.get(booking.room)
        if room is None:
            raise ConcurrentChangeError
        return room

    def require_in_snapshot(self, interval: Interval) -> None:
        """Start over where the command is about another time than the one that was looked at.

        What a command is about is read before the look, and again after it: somebody may have moved
        it in between.
        """
        if not any(w.start <= interval.start and interval.end <= w.end for w in self.windows):
            raise ConcurrentChangeError

    @property
    def now(self) -> datetime:
        """Return the instant by which this command judges."""
        return self.snapshot.now

    @property
    def stores_anything(self) -> bool:
        """Say whether the command has decided to change anything."""
        return bool(self.changes or self.also or self.marked)

    def room_context(self, room: RoomPolicy) -> RoomContext:
        """Return what was seen of one room and those that share its floor."""
        snapshot = self.snapshot
        neighbours = snapshot.neighbours
        if len(self.rooms) > 1:
            neighbours = tuple(other for other in neighbours if other.room_id in room.related)
        closures = [c for room_id in room.related for c in snapshot.closures.get(room_id, ())]
        return RoomContext(neighbours, tuple(closures), snapshot.usage)

    def count(self, interval: Interval, room: RoomPolicy) -> None:
        """Let a booking that was just decided count against the quotas of those that follow."""
        if len(self.rooms) > 1:  # in one room nothing follows
            self.snapshot = self.snapshot._replace(
                usage=counted(self.snapshot.usage, interval, room)
            )

    def touched(self) -> list[int]:
        """Return the rooms whose screens show any of the changes."""
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


def release_holds(tx: CommandContext, holds: Iterable[BookingData], actor: Actor) -> None:
    """Let a person's own holds give way to what they book over them."""
    decided = {change.after.id for change in tx.changes}
    tx.changes += [
        Change.of(hold, without_slot(hold, BookingState.LAPSED), actor, "release_hold")
        for hold in holds
        if hold.id not in decided
    ]


def is_manager(actor: Actor, room: RoomPolicy) -> bool:
    """Say whether the actor runs this room: may override its rules and decide about requests."""
    return actor.is_admin or (actor.user_id is not None and actor.user_id in room.policy.managers)
