"""A series as a value: its rule, its dates, and the report of a command on each date. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from booking.domain.booking_data import BookingData
from booking.domain.changes import Details
from booking.domain.errors import shown
from booking.series.domain.occurrences import Expansion, Occurrence, expand, refuse_self_overlap
from booking.series.domain.rule import Rule
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import WallKind
from rooms.domain.effective_policy import BeyondHorizon, RoomPolicy

MAX_KNOWN_DATES = 10_000  # dates of a stored series; daily for 27 years
FLAG_OF_SHIFT = {WallKind.GAP: "time_shifted", WallKind.FOLD: "time_ambiguous"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """When a series takes place: the first local time, the nominal length, the rule, the zone."""

    start: datetime
    length: timedelta
    rule: Rule
    zone: ZoneInfo

    def dates(self, room: RoomPolicy, *, today: date) -> Expansion:
        """Return every date, limited by the policy of the room (advance window, series length).

        Raises the errors of `expand` and `refuse_self_overlap`.
        """
        expansion = expand(
            self.rule,
            start=self.start,
            length=self.length,
            zone=self.zone,
            horizon=today + timedelta(days=room.policy.advance_days),
            beyond=BeyondHorizon(room.policy.beyond_horizon),
            limit=room.policy.series_limit,
        )
        refuse_self_overlap(expansion)
        return expansion

    def dates_until(self, last: date) -> tuple[Occurrence, ...]:
        """Return the dates up to the local day `last`, without the limits of the room's policy.

        Raises the errors of `expand`.
        """
        return expand(
            self.rule,
            start=self.start,
            length=self.length,
            zone=self.zone,
            horizon=last,
            beyond=BeyondHorizon.TRUNCATE,
            limit=MAX_KNOWN_DATES,
        ).occurrences


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """A stored series. `room` is the room of its dates, except of dates with another room."""

    id: UUID
    room: UUID
    pattern: Pattern
    details: Details
    version: int = 1


@dataclass(frozen=True, slots=True)
class RefusedDate:
    """A date that is not booked, and why."""

    recurrence_id: str
    interval: Interval
    code: str
    detail: str

    @classmethod
    def because(cls, occurrence: Occurrence, refusal: MeetingRoomsError) -> Self:
        """Return the occurrence as a refused date, with code and sentence of the error."""
        name = occurrence.recurrence_id.isoformat()
        return cls(name, occurrence.interval, refusal.code, refusal.detail)

    def as_json(self) -> dict[str, Any]:
        """Return the date as JSON-ready values, for answers and errors."""
        return {
            "recurrence_id": self.recurrence_id,
            **shown(self.interval),
            "code": self.code,
            "detail": self.detail,
        }

    @classmethod
    def from_json(cls, doc: dict[str, Any]) -> Self:
        """Return the value that `as_json` wrote."""
        interval = Interval.of(
            datetime.fromisoformat(doc["starts_at"]), datetime.fromisoformat(doc["ends_at"])
        )
        return cls(doc["recurrence_id"], interval, doc["code"], doc["detail"])


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """What a command did with each date of a series.

    `booked` are new or moved bookings, `cancelled` are cancelled bookings. `kept` are bookings that
    keep their slot: they were moved by hand, the change does not concern them, or they could not
    move. `beyond` are dates beyond the advance window.
    """

    series_id: UUID
    booked: tuple[BookingData, ...] = ()
    refused: tuple[RefusedDate, ...] = ()
    cancelled: tuple[BookingData, ...] = ()
    kept: tuple[BookingData, ...] = ()
    beyond: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return JSON-ready values; `from_json` reads them back."""
        return {
            "series_id": str(self.series_id),
            "booked": [booking.as_row() for booking in self.booked],
            "refused": [date.as_json() for date in self.refused],
            "cancelled": [booking.as_row() for booking in self.cancelled],
            "kept": [booking.as_row() for booking in self.kept],
            "beyond": list(self.beyond),
        }

    @classmethod
    def from_json(cls, doc: dict[str, Any]) -> Self:
        """Return the value that `as_json` wrote."""
        return cls(
            series_id=UUID(doc["series_id"]),
            booked=tuple(map(BookingData.from_row, doc["booked"])),
            refused=tuple(map(RefusedDate.from_json, doc["refused"])),
            cancelled=tuple(map(BookingData.from_row, doc["cancelled"])),
            kept=tuple(map(BookingData.from_row, doc["kept"])),
            beyond=tuple(doc["beyond"]),
        )
