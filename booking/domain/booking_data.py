"""A booking as a value: what the write path moves about, what is stored, audited and answered."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter, itemgetter
from types import UnionType
from typing import Any, Self, get_args, get_origin, get_type_hints
from uuid import UUID

from booking.domain.states import BookingState
from meeting_rooms.kernel.interval import Interval

Row = dict[str, Any]  # named as the columns of `booking_booking`


@dataclass(frozen=True, slots=True)
class BookingData:
    """Everything that is known of one booking.

    `local_start` and `local_end` are what was meant: the room's wall times, ISO without a zone; the
    instants follow from them, and follow again when the zone's rules change. `lapses_at` is the
    instant at which the slot is given back unless something happens before: a check-in, for a hold
    its confirmation, for a request its approval. `recurrence_id` is the series' own date-time of an
    occurrence, wherever it was moved to. `flags` name what was overridden or shifted. `version`
    rises with every change.
    """

    id: UUID
    room: UUID
    room_id: int
    interval: Interval
    local_start: str
    local_end: str
    title: str
    organizer: str
    organizer_id: UUID | None
    private: bool
    state: BookingState
    takes_slot: bool
    lapses_at: datetime | None
    created_at: datetime
    attendees: int | None = None
    version: int = 1
    group_id: UUID | None = None
    series_id: UUID | None = None
    recurrence_id: str | None = None
    flags: tuple[str, ...] = ()
    external_uid: str | None = None

    @property
    def check_in_until(self) -> datetime | None:
        """Return the instant by which somebody must have checked in; None where nobody need."""
        return self.lapses_at if self.state is BookingState.CONFIRMED else None

    @property
    def expires_at(self) -> datetime | None:
        """Return when this hold runs out; None for what is no hold."""
        return self.lapses_at if self.state is BookingState.HELD else None

    @property
    def is_live(self) -> bool:
        """Say whether it takes its slot, or asks for it."""
        return self.takes_slot or self.state is BookingState.PENDING

    def takes_slot_at(self, now: datetime) -> bool:
        """Say whether the slot belongs to this booking at `now`, settled or not."""
        return self.takes_slot and (self.lapses_at is None or self.lapses_at > now)

    def as_row(self) -> Row:
        """Return the stored columns and the room's uuid, as orjson writes them.

        `from_row` reads what that gives.
        """
        row = dict(zip(COLUMNS, _members_of(self), strict=True))
        for column, write in _WRITERS:
            row[column] = write(row[column])
        return row

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Read the JSON of what `as_row` gave, or of Postgres' `to_jsonb` of a stored booking."""
        values = list(_columns_of(row))
        for position, read in _READERS:
            if values[position] is not None:
                values[position] = read(values[position])
        return cls(*values)


# The columns of `booking_booking`, in the order of the members above. A column has its member's
# name but for these three.
_RENAMED = {"interval": "during", "organizer": "organizer_name", "private": "is_private"}
MEMBERS = tuple(member.name for member in fields(BookingData))
COLUMNS = tuple(_RENAMED.get(member, member) for member in MEMBERS)
_members_of = attrgetter(*MEMBERS)
_columns_of = itemgetter(*COLUMNS)

# How a value of each type is written to JSON, where orjson does not know it, and read from JSON.
_WRITE: dict[Any, Callable[[Any], Any]] = {
    Interval: Interval.as_range,
    BookingState: attrgetter("value"),
}
_READ: dict[Any, Callable[[Any], Any]] = {
    UUID: UUID,
    Interval: Interval.read,
    BookingState: BookingState,
    datetime: datetime.fromisoformat,
    tuple: tuple,
}


def _type_of(member: str) -> Any:
    """Return the type of a member: `UUID` for `UUID | None`, `tuple` for `tuple[str, ...]`."""
    hint = get_type_hints(BookingData)[member]
    known, *_none = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return get_origin(known) or known


_TYPES = [_type_of(member) for member in MEMBERS]
_WRITERS = [(c, _WRITE[t]) for c, t in zip(COLUMNS, _TYPES, strict=True) if t in _WRITE]
_READERS = [(position, _READ[t]) for position, t in enumerate(_TYPES) if t in _READ]
