"""A booking as a value: commands, the database, the audit log and the API all use it."""

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
    """All fields of one booking.

    `interval` follows from `local_start` and `local_end`, the local times in the room that the
    organizer chose (ISO 8601, without a zone), and is computed again when the rules of the time
    zone change. At `lapses_at` the booking lapses and its slot becomes free, unless before then a
    confirmed booking is checked in, a hold is booked, or a request is approved. `recurrence_id` is
    the local date and time that the RRULE gives to an occurrence; moving the occurrence does not
    change it. `flags` has the codes of overridden rules and of shifted clock times. `version` rises
    by one with every change.
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
        """Return the instant by which a check-in must come; None if no check-in is needed."""
        return self.lapses_at if self.state is BookingState.CONFIRMED else None

    @property
    def expires_at(self) -> datetime | None:
        """Return the instant at which this hold expires; None if the booking is not a hold."""
        return self.lapses_at if self.state is BookingState.HELD else None

    @property
    def is_live(self) -> bool:
        """Return whether the booking takes its slot or is a request for it."""
        return self.takes_slot or self.state is BookingState.PENDING

    def takes_slot_at(self, now: datetime) -> bool:
        """Return whether the booking takes its slot at `now`.

        A booking whose `lapses_at` is over does not, even if the database does not say so yet.
        """
        return self.takes_slot and (self.lapses_at is None or self.lapses_at > now)

    def as_row(self) -> Row:
        """Return the stored columns and the UUID of the room, as values that orjson can write.

        `from_row` reads the JSON that orjson makes of them.
        """
        row = dict(zip(COLUMNS, _members_of(self), strict=True))
        for column, write in _WRITERS:
            row[column] = write(row[column])
        return row

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the booking of a JSON row: from `as_row`, or from `to_jsonb` in Postgres."""
        values = list(_columns_of(row))
        for position, read in _READERS:
            if values[position] is not None:
                values[position] = read(values[position])
        return cls(*values)


# The columns of `booking_booking`, in the order of the members above. Three columns have another
# name than their member.
_RENAMED = {"interval": "during", "organizer": "organizer_name", "private": "is_private"}
MEMBERS = tuple(member.name for member in fields(BookingData))
COLUMNS = tuple(_RENAMED.get(member, member) for member in MEMBERS)
_members_of = attrgetter(*MEMBERS)
_columns_of = itemgetter(*COLUMNS)

# Conversions by type: to JSON for the types that orjson cannot write as needed, and from JSON.
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
