"""The values of the model: places, bookings and closures."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Place:
    """A room: the floor cells that it covers, and whether its bookings need approval."""

    name: str
    cells: frozenset[int]
    needs_approval: bool = False

    def shares_floor_with(self, other: "Place") -> bool:
        return bool(self.cells & other.cells)


@dataclass
class Kept:
    """A booking of one room; the parts of a multi-room booking share a group."""

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
    before: "Kept | None" = None  # the booking before that
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
    """Return the codes whose argument is true."""
    return {code for code, is_found in found.items() if is_found}
