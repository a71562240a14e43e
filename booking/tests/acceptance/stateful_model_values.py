"""What the model of the rules is about: places, bookings, closures, as plain values."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Place:
    """A room: the pieces of floor it has, and whether its bookings wait for a yes."""

    name: str
    cells: frozenset[int]
    needs_approval: bool = False

    def shares_floor_with(self, other: "Place") -> bool:
        return bool(self.cells & other.cells)


@dataclass
class Kept:
    """A booking of one room; those of several rooms share a group."""

    id: object
    group: object
    place: Place
    start: datetime
    end: datetime
    who: str
    state: str
    lapses: datetime | None
    created: datetime
    ended: datetime | None = None  # when it was cancelled or released
    before: "Kept | None" = None  # as it was then
    uid: str | None = None

    @property
    def has_slot(self) -> bool:
        return self.state in ("confirmed", "checked_in")

    def only_gets_shorter(self, place: Place, start: datetime, end: datetime) -> bool:
        return place is self.place and self.start <= start and end <= self.end

    def overlaps(self, start: datetime, end: datetime) -> bool:
        return self.start < end and start < self.end


@dataclass
class Closed:
    id: object
    place: Place
    start: datetime
    end: datetime


def codes(**found: bool) -> set[str]:
    """Return the names of what is so."""
    return {code for code, is_so in found.items() if is_so}
