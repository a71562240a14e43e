"""A booking as a value: what the write path moves about, what is stored, audited and answered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
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
        return {
            "id": self.id,
            "room": self.room,
            "room_id": self.room_id,
            "during": self.interval.as_range(),
            "local_start": self.local_start,
            "local_end": self.local_end,
            "title": self.title,
            "organizer_name": self.organizer,
            "organizer_id": self.organizer_id,
            "is_private": self.private,
            "state": self.state.value,
            "takes_slot": self.takes_slot,
            "lapses_at": self.lapses_at,
            "created_at": self.created_at,
            "attendees": self.attendees,
            "version": self.version,
            "group_id": self.group_id,
            "series_id": self.series_id,
            "recurrence_id": self.recurrence_id,
            "flags": self.flags,
            "external_uid": self.external_uid,
        }

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Read the JSON of what `as_row` gave, or of Postgres' `to_jsonb` of a stored booking."""
        return cls(
            id=UUID(row["id"]),
            room=UUID(row["room"]),
            room_id=row["room_id"],
            interval=Interval.read(row["during"]),
            local_start=row["local_start"],
            local_end=row["local_end"],
            title=row["title"],
            organizer=row["organizer_name"],
            organizer_id=_read_uuid(row["organizer_id"]),
            private=row["is_private"],
            state=BookingState(row["state"]),
            takes_slot=row["takes_slot"],
            lapses_at=row["lapses_at"] and datetime.fromisoformat(row["lapses_at"]),
            created_at=datetime.fromisoformat(row["created_at"]),
            attendees=row["attendees"],
            version=row["version"],
            group_id=_read_uuid(row["group_id"]),
            series_id=_read_uuid(row["series_id"]),
            recurrence_id=row["recurrence_id"],
            flags=tuple(row["flags"]),
            external_uid=row["external_uid"],
        )


def _read_uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
