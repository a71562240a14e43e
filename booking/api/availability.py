"""REST: which rooms are free, when one is, and what could be had instead."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router
from pydantic import BaseModel, BeforeValidator, WithJsonSchema

from booking.api.shapes import IntervalOut, PeriodQuery
from booking.domain.booking_request import BookingRequest
from booking.queries.alternatives import suggest_alternatives
from booking.queries.free_rooms import FreeRoom, free_rooms, room_times
from booking.transaction.database_clock import DATABASE_CLOCK
from identity.api_auth import PEOPLE_AND_DEVICES, actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Answer, read_instant
from meeting_rooms.kernel.interval import Interval
from rooms.queries import RoomFilter, find_rooms, get_room

router = Router(tags=["availability"])
NOW = "now"
MAX_MINUTES = 24 * 60


def _now_or_instant(value: Any) -> datetime | None:
    return None if value == NOW else read_instant(value)


NowOrInstant = Annotated[
    datetime | None,
    BeforeValidator(_now_or_instant),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": [NOW]},
                {"type": "string", "format": "date-time"},
            ],
            "description": "'now', or a date-time with an offset.",
        }
    ),
]


class AvailabilityOut(Answer):
    """When a room can and cannot be booked. What is in no list cannot be booked, by other rules."""

    room: UUID
    busy: list[IntervalOut] = Field(description="Booked, or out of service.")
    closed: list[IntervalOut] = Field(description="Outside the opening hours.")
    free: list[IntervalOut] = Field(
        description="From now on, with the gaps kept, and long enough for the shortest booking."
    )


class FreeRoomOut(Answer):
    """A room that would take the booking, and until when it stays free and open."""

    room: UUID
    name: str
    building: str
    floor: str
    timezone: str
    capacity: int
    features: list[str]
    starts_at: datetime
    ends_at: datetime
    free_until: datetime = Field(description="A day after the start at the most.")

    @classmethod
    def of(cls, free: FreeRoom, wanted: Interval) -> "FreeRoomOut":
        """Return the room as the API shows it."""
        room = free.room
        return cls(
            room=room.uuid,
            name=room.name,
            building=room.floor.building.slug,
            floor=room.floor.slug,
            timezone=room.floor.building.timezone,
            capacity=room.capacity,
            features=[feature.slug for feature in room.features.all()],
            starts_at=wanted.start,
            ends_at=wanted.end,
            free_until=free.free_until,
        )


class FreeQuery(BaseModel):
    """From when, how long, and what the room must have."""

    start: NowOrInstant = Field(NOW, alias="from")  # type: ignore[assignment] # validated
    minutes: int = Field(30, ge=1, le=MAX_MINUTES)
    building: str | None = Field(None, max_length=50)
    floor: str | None = Field(None, max_length=50)
    min_capacity: int | None = Field(None, ge=1, le=5000)
    feature: list[str] = Field([], max_length=20)
    limit: int = Field(100, ge=1, le=500)

    model_config = {"validate_default": True}

    def rooms(self) -> RoomFilter:
        """Return what the room must have."""
        return RoomFilter(
            building=self.building,
            floor=self.floor,
            min_capacity=self.min_capacity,
            features=tuple(self.feature),
        )


class AlternativeOut(Answer):
    """A room and a time that were free when asked."""

    room: UUID
    name: str
    starts_at: datetime
    ends_at: datetime


@router.get("/availability", response={200: list[FreeRoomOut]}, summary="Which rooms are free")
def list_free_rooms(request: HttpRequest, query: Query[FreeQuery]) -> list[FreeRoomOut]:
    """Return the rooms that would take the booking, the tightest fit first.

    Each has passed its own rules: opening hours, gaps, closures, length. Only your quotas are left
    out, and what you hold yourself is not in the way. An offer is no promise: hold it or book it.
    """
    now = DATABASE_CLOCK.now()
    start = query.start or now
    wanted = Interval(start, start + timedelta(minutes=query.minutes))
    asked = BookingRequest(wanted, actor_from(request).user_id)
    found = free_rooms(find_rooms(query.rooms()), wanted, asked, now=now)
    return [FreeRoomOut.of(free, wanted) for free in found[: query.limit]]


@router.get(
    "/rooms/{room_id}/availability",
    response={200: AvailabilityOut, 404: Problem},
    summary="When one room is free",
    auth=PEOPLE_AND_DEVICES,
)
def show_availability(
    request: HttpRequest, room_id: UUID, query: Query[PeriodQuery]
) -> AvailabilityOut:
    """Return when the room is busy, closed and free. What you hold yourself is free for you."""
    actor = actor_from(request)
    actor.require_room(room_id)
    found = room_times(
        get_room(room_id), query.interval(), person=actor.user_id, now=DATABASE_CLOCK.now()
    )
    return AvailabilityOut(
        room=room_id,
        busy=[IntervalOut.of(i) for i in found.busy],
        closed=[IntervalOut.of(i) for i in found.closed],
        free=[IntervalOut.of(i) for i in found.free],
    )


@router.get(
    "/rooms/{room_id}/alternatives",
    response={200: list[AlternativeOut], 404: Problem},
    summary="What could be had instead",
)
def list_alternatives(
    request: HttpRequest, room_id: UUID, query: Query[PeriodQuery]
) -> list[AlternativeOut]:
    """Return the nearest times in this room, then other rooms of the building at the same time.

    Each has passed the rules of its room.
    """
    person = actor_from(request).user_id
    found = suggest_alternatives(room_id, query.interval(), person=person)
    return [AlternativeOut(**alternative.as_json()) for alternative in found]
