"""REST: free rooms, the free times of one room, and alternatives to a slot."""

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
MAX_MINUTES = 24 * 60  # of the booking that is searched for


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
            "description": "`now`, or a date-time with an offset.",
        }
    ),
]


class AvailabilityOut(Answer):
    """The times at which a room is busy, closed and free.

    A time that is in none of the lists cannot be booked, because another rule refuses a booking.
    """

    room: UUID
    busy: list[IntervalOut] = Field(
        description="Times at which the room is booked or out of service."
    )
    closed: list[IntervalOut] = Field(description="Times outside the opening hours.")
    free: list[IntervalOut] = Field(
        description="Times that can be booked, from now on: without gaps to other bookings, and "
        "without times that are too short for the shortest booking."
    )


class FreeRoomOut(Answer):
    """A room that can be booked, and until when it stays free and open."""

    room: UUID
    name: str
    building: str
    floor: str
    timezone: str
    capacity: int
    features: list[str]
    starts_at: datetime
    ends_at: datetime
    free_until: datetime = Field(description="The maximum is 24 hours after the start.")

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
    """Start and length of the booking, and what the room must have."""

    start: NowOrInstant = Field(NOW, alias="from")  # type: ignore[assignment] # validated
    minutes: int = Field(30, ge=1, le=MAX_MINUTES)
    building: str | None = Field(None, max_length=50)
    floor: str | None = Field(None, max_length=50)
    min_capacity: int | None = Field(None, ge=1, le=5000)
    feature: list[str] = Field([], max_length=20)
    limit: int = Field(100, ge=1, le=500)

    model_config = {"validate_default": True}

    def rooms(self) -> RoomFilter:
        """Return the filter for rooms."""
        return RoomFilter(
            building=self.building,
            floor=self.floor,
            min_capacity=self.min_capacity,
            features=tuple(self.feature),
        )


class AlternativeOut(Answer):
    """A room and a time that could be booked at the moment of the answer."""

    room: UUID
    name: str
    starts_at: datetime
    ends_at: datetime


@router.get("/availability", response={200: list[FreeRoomOut]}, summary="Find free rooms")
def list_free_rooms(request: HttpRequest, query: Query[FreeQuery]) -> list[FreeRoomOut]:
    """Return the rooms that can be booked, rooms with the fewest seats first.

    The rules of each room accept the booking: opening hours, gaps, closures and length are checked.
    Only the caller's quotas are not checked. The caller's own holds count as free. The answer
    reserves nothing: hold or book the room.
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
    summary="Show when one room is free",
    auth=PEOPLE_AND_DEVICES,
)
def show_availability(
    request: HttpRequest, room_id: UUID, query: Query[PeriodQuery]
) -> AvailabilityOut:
    """Return when the room is busy, closed and free. The caller's own holds count as free."""
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
    summary="Suggest alternatives to a slot",
)
def list_alternatives(
    request: HttpRequest, room_id: UUID, query: Query[PeriodQuery]
) -> list[AlternativeOut]:
    """Return the nearest times in this room, then other rooms of the building at the same time.

    The rules of each room accept the alternative; the caller's quotas are not checked. The answer
    reserves nothing.
    """
    person = actor_from(request).user_id
    found = suggest_alternatives(room_id, query.interval(), person=person)
    return [AlternativeOut(**alternative.as_json()) for alternative in found]
