"""What a booking command decides from, and what it has decided."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from booking.domain.drafts import without_slot
from booking.domain.facts import BookingFacts
from booking.domain.request import Known
from booking.domain.rules import counted
from booking.domain.states import BookingState
from booking.services.looking import Seen
from booking.services.writing import Change, OutdatedError
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.interval import Interval
from rooms.domain.rulebook import RoomRules


@dataclass(slots=True)
class RoomTransaction:
    """What a command decides from, and what it has decided so far.

    `windows` are the stretches that were looked at. `changes` are stored together; `also` are
    writes to other tables in the same transaction, and `marked` the rooms whose screens show those.
    `closing` are stretches, by room id, that this very command takes out of service.
    """

    rooms: dict[UUID, RoomRules]
    seen: Seen
    windows: Sequence[Interval] = ()
    changes: list[Change] = field(default_factory=list)
    also: list[Callable[[], object]] = field(default_factory=list)
    marked: set[UUID] = field(default_factory=set)
    closing: dict[int, Interval] = field(default_factory=dict)

    def room_of(self, booking: BookingFacts) -> RoomRules:
        """Return the rules of the booking's room.

        Raises OutdatedError where the booking was moved there after the rooms were looked up.
        """
        room = self.rooms.get(booking.room)
        if room is None:
            raise OutdatedError
        return room

    def require_looked(self, interval: Interval) -> None:
        """Start over where the command is about another time than the one that was looked at.

        What a command is about is read before the look, and again after it: somebody may have moved
        it in between.
        """
        if not any(w.start <= interval.start and interval.end <= w.end for w in self.windows):
            raise OutdatedError

    @property
    def now(self) -> datetime:
        """Return the instant by which this command judges."""
        return self.seen.now

    def known(self, room: RoomRules) -> Known:
        """Return what was seen of one room and those that share its floor."""
        seen = self.seen
        neighbours = seen.neighbours
        if len(self.rooms) > 1:
            neighbours = tuple(other for other in neighbours if other.room_id in room.related)
        closures = [c for room_id in room.related for c in seen.closures.get(room_id, ())]
        return Known(neighbours, tuple(closures), seen.usage)

    def count(self, interval: Interval, room: RoomRules) -> None:
        """Let a booking that was just decided count against the quotas of those that follow."""
        if len(self.rooms) > 1:  # in one room nothing follows
            self.seen = self.seen._replace(usage=counted(self.seen.usage, interval, room))

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


def let_go(tx: RoomTransaction, holds: Iterable[BookingFacts], actor: Actor) -> None:
    """Let a person's own holds give way to what they book over them."""
    decided = {change.after.id for change in tx.changes}
    tx.changes += [
        Change.of(hold, without_slot(hold, BookingState.LAPSED), actor, "release_hold")
        for hold in holds
        if hold.id not in decided
    ]


def is_manager(actor: Actor, room: RoomRules) -> bool:
    """Say whether the actor runs this room: may override its rules and decide about requests."""
    return actor.is_admin or (actor.user_id is not None and actor.user_id in room.book.managers)
