"""The live state of one room: its form in memory, in MongoDB and in frames.

Pure data; this module may import only the standard library and the kernel.
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
Document = Mapping[str, Any]  # a decoded MongoDB document; its values are not type-checked


def _read(cls: type[_T], doc: Document, **special: Any) -> _T:
    """Return a `cls` from the members of a document; ignore members of newer releases.

    Raises TypeError if a member is missing or is not of its declared type.
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
    """Return the allowed types of each member of a dataclass; for tuples without element types."""
    found = {}
    for name, hint in get_type_hints(cls).items():
        parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        found[name] = tuple(get_origin(part) or part for part in parts)
    return found


@cache
def _names(cls: type) -> tuple[str, ...] | None:
    return tuple(field.name for field in fields(cls)) if is_dataclass(cls) else None


def as_plain(value: Any) -> Any:
    """Return nested dataclasses as dicts and tuples as lists.

    Leaves are shared, not copied: they are immutable. Source: `dataclasses.asdict` copies every
    leaf, which was two thirds of the cost of a change in a hub.
    """
    kind: type = type(value)
    if (names := _names(kind)) is not None:
        return {name: as_plain(getattr(value, name)) for name in names}
    return [*map(as_plain, value)] if isinstance(value, tuple) else value


class RoomStatus(StrEnum):
    """The status of a room, with the same name in API, frames and pages."""

    FREE = "free"
    HELD = "held"  # a person is about to book it; public boards show it as free
    # A booking runs, without check-in, people or approval so far. Boards show "Waiting".
    RESERVED = "reserved"
    OCCUPIED = "occupied"
    ENDING = "ending"  # the last minutes of a booking after which the room is free
    # The room cannot be booked from now on: outside its opening hours, or by another rule.
    CLOSED = "closed"
    OUT_OF_SERVICE = "out_of_service"  # boards show "Closed" and the reason


class SlotState(StrEnum):
    """The state of a booking that takes its slot."""

    PENDING = "pending"  # waits for approval, in a room where requests take the slot
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"


class SensorHealth(StrEnum):
    """Whether the newest occupancy reading is valid, too old, or missing."""

    OK = "ok"
    STALE = "stale"
    NONE = "none"


class Audience(StrEnum):
    """The readers of a live state, which is redacted once per change for each audience."""

    PUBLIC = "public"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Slot:
    """One booking in a live state. Times are aware UTC, `[start, end)`."""

    booking: str
    start: datetime
    end: datetime
    title: str
    organizer: str
    private: bool
    state: SlotState
    check_in_until: datetime | None  # None: this booking needs no check-in
    decide_until: datetime | None = None  # only if pending: released then without an approval

    @classmethod
    def from_document(cls, doc: Document) -> Self:
        """Return the object of an `as_plain` document. Raises KeyError, TypeError or ValueError."""
        return _read(cls, doc, state=SlotState(doc["state"]))


@dataclass(frozen=True, slots=True)
class Hold:
    """A slot that a person is about to book. From `expires_at` on the slot is free."""

    id: str
    start: datetime
    end: datetime
    holder: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Closure:
    """An interval in which the room is out of service. `end` None: until further notice."""

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
        """Return whether a valid reading shows people in the room; a stale one counts as none."""
        return self.sensor is SensorHealth.OK and bool(self.count or self.motion)

    @classmethod
    def from_document(cls, doc: Document) -> Self:
        """Return the object of an `as_plain` document. Raises KeyError, TypeError or ValueError."""
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
    """The complete live state of a room. Equal (epoch, version) always means equal content."""

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
    changed_at: datetime  # instant of the oldest change in this version
    holds: tuple[Hold, ...] = ()  # earliest first; documents of older releases have none
    next_public_change_at: datetime | None = None  # if there are holds: next_change_at without them
    refusal: str | None = None  # if closed: the code with which a booking is refused
    is_open_at_door: bool = True  # everyone may book it at the door; else only with sign-in

    def as_document(self) -> dict[str, Any]:
        """Return the MongoDB document, which `from_document` converts back."""
        doc: dict[str, Any] = as_plain(self)
        doc["_id"] = doc.pop("id")
        return doc

    @classmethod
    def from_document(cls, doc: Document) -> Self:
        """Return the live state of a document of `as_document`, with aware datetimes.

        Raises KeyError, TypeError or ValueError for any other document.
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
        """Return (epoch, version), by which consumers detect whether they have this state."""
        return self.epoch, self.version
