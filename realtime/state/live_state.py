"""The live state of one room: its shape in memory, in MongoDB and on the wire.

Pure data; may import the standard library and the kernel only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

Mark = tuple[str, int]  # epoch, version
_T = TypeVar("_T")
Document = Mapping[str, Any]  # a decoded MongoDB document: the edge where types end


def _read(cls: type[_T], doc: Document, **special: Any) -> _T:
    """Make a `cls` of the members it has; a newer writer may have added others.

    Raises TypeError for a member of another type than is declared: anybody may write what is read.
    """
    kind: type = cls
    kinds = _kinds(kind)
    values = {name: doc[name] for name in kinds if name in doc and name not in special} | special
    for name, value in values.items():
        if not isinstance(value, kinds[name]):
            raise TypeError(f"{cls.__name__}.{name} is a {type(value).__name__}")
    return cls(**values)


@cache
def _kinds(cls: type) -> dict[str, tuple[type, ...]]:
    """Return the types that each member of a dataclass may have, of tuples only that they are."""
    found = {}
    for name, hint in get_type_hints(cls).items():
        parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        found[name] = tuple(get_origin(part) or part for part in parts)
    return found


@cache
def _names(cls: type) -> tuple[str, ...] | None:
    return tuple(field.name for field in fields(cls)) if is_dataclass(cls) else None


def as_plain(value: Any) -> Any:
    """Return dataclasses, however deep, as dicts and tuples as lists.

    Leaves are shared, not copied: they are immutable here. Source: `dataclasses.asdict` copies
    each of them and was two thirds of what a change cost a hub.
    """
    kind: type = type(value)
    if (names := _names(kind)) is not None:
        return {name: as_plain(getattr(value, name)) for name in names}
    return [*map(as_plain, value)] if isinstance(value, tuple) else value


class RoomStatus(StrEnum):
    """What a room is right now, as every exit names it."""

    FREE = "free"
    HELD = "held"  # somebody is in the middle of booking it; to boards it is free
    # A booking runs, nobody has checked in, been sensed, or approved it yet: boards say Waiting.
    RESERVED = "reserved"
    OCCUPIED = "occupied"
    ENDING = "ending"  # the last minutes of an occupied slot after which the room is free
    # It cannot be booked from now on: outside its opening hours, or another rule is in the way.
    CLOSED = "closed"
    OUT_OF_SERVICE = "out_of_service"  # boards say Closed, with the reason


class SlotState(StrEnum):
    """State of a booking that still takes its slot."""

    PENDING = "pending"  # awaits approval, in a room where a request takes the slot
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"


class SensorHealth(StrEnum):
    """Whether the room's occupancy reading may be believed."""

    OK = "ok"
    STALE = "stale"
    NONE = "none"


class Audience(StrEnum):
    """Who reads a live state. Each audience gets its own redaction, made once per change."""

    PUBLIC = "public"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Slot:
    """One booking as screens see it. Times are aware UTC, `[start, end)`."""

    booking: str
    start: datetime
    end: datetime
    title: str
    organizer: str
    private: bool
    state: SlotState
    check_in_until: datetime | None  # None: this booking needs no check-in
    decide_until: datetime | None = None  # given back then unless it is approved; pending ones only

    @classmethod
    def from_document(cls, doc: Document) -> Self:
        """Read what `as_plain` wrote."""
        return _read(cls, doc, state=SlotState(doc["state"]))


@dataclass(frozen=True, slots=True)
class Hold:
    """A slot that somebody is in the middle of booking. It is anybody's from `expires_at` on."""

    id: str
    start: datetime
    end: datetime
    holder: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Closure:
    """A stretch in which the room is out of service. `end` None: until further notice."""

    start: datetime
    end: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Occupancy:
    """The newest sensor reading. `count` None: the sensor does not count."""

    count: int | None = None
    motion: bool | None = None
    source: str | None = None
    observed_at: datetime | None = None
    sensor: SensorHealth = SensorHealth.NONE

    @property
    def is_sensed(self) -> bool:
        """Say whether somebody is believed to be in the room; a stale sensor proves nothing."""
        return self.sensor is SensorHealth.OK and bool(self.count or self.motion)

    @classmethod
    def from_document(cls, doc: Document) -> Self:
        """Read what `as_plain` wrote."""
        return _read(cls, doc, sensor=SensorHealth(doc["sensor"]))


@dataclass(frozen=True, slots=True)
class Schedule:
    """The room's bookings from now to the end of its next local day.

    `version` is the room's `schedule_version` in Postgres from which the slice was read.
    """

    version: int
    agenda: tuple[Slot, ...] = ()
    current: Slot | None = None
    next: Slot | None = None


@dataclass(frozen=True, slots=True)
class LiveState:
    """Everything a screen shows of one room. Same (epoch, version) always means same content."""

    id: str  # room uuid
    epoch: str
    version: int
    building: str  # slug
    floor: str  # slug
    slug: str
    name: str
    capacity: int
    features: tuple[str, ...]
    direction: str  # way from the board: "", "up", "left", "right", "up-right", ...
    timezone: str  # IANA
    is_public: bool  # whether the public audience may read this room at all
    shows_titles: bool  # whether the public audience may read titles that are not private
    status: RoomStatus
    until: datetime | None
    next_change_at: datetime | None
    schedule: Schedule
    closure: Closure | None
    occupancy: Occupancy
    changed_at: datetime  # when the oldest fact that this version brought became one
    holds: tuple[Hold, ...] = ()  # earliest first; documents of older releases have none
    next_public_change_at: datetime | None = None  # where there are holds: without regard to them
    refusal: str | None = None  # where it is closed: the code with which a booking is refused
    is_open_at_door: bool = True  # everyone may book it at the door; else one signs in to book

    def as_document(self) -> dict[str, Any]:
        """Return the MongoDB document; `from_document` reads it back unchanged."""
        doc: dict[str, Any] = as_plain(self)
        doc["_id"] = doc.pop("id")
        return doc

    @classmethod
    def from_document(cls, doc: Document) -> Self:
        """Read what `as_document` wrote. The codec must give aware datetimes.

        Raises KeyError, TypeError or ValueError for anything else.
        """
        schedule, closure = doc["schedule"], doc["closure"]
        return _read(
            cls,
            doc,
            id=doc["_id"],
            features=tuple(doc["features"]),
            status=RoomStatus(doc["status"]),
            schedule=_read(
                Schedule,
                schedule,
                agenda=tuple(Slot.from_document(slot) for slot in schedule["agenda"]),
                current=schedule["current"] and Slot.from_document(schedule["current"]),
                next=schedule["next"] and Slot.from_document(schedule["next"]),
            ),
            closure=closure and _read(Closure, closure),
            occupancy=Occupancy.from_document(doc["occupancy"]),
            holds=tuple(_read(Hold, hold) for hold in doc.get("holds", ())),
        )

    @property
    def uuid(self) -> UUID:
        """Return the room's uuid as Postgres knows it."""
        return UUID(self.id)

    @property
    def mark(self) -> Mark:
        """The pair by which consumers decide whether they already have this state."""
        return self.epoch, self.version
