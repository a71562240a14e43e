"""REST: rooms."""

from datetime import time
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.pagination import LimitOffsetPagination, paginate
from pydantic import Field

from meeting_rooms.http.problem import Problem
from rooms.models import Room
from rooms.policies.api import router as policy_router
from rooms.policies.cache import current_room_policies
from rooms.queries import RoomFilter, find_rooms, get_room

router = Router(tags=["rooms"])
router.add_router("", policy_router)


class OpeningHoursOut(Schema):
    """Local opening hours on one weekday; `closes` 00:00 is midnight at the end of the day."""

    weekday: int = Field(description="Monday is 0")
    opens: time
    closes: time


class RoomOut(Schema):
    """A room."""

    id: UUID
    name: str
    slug: str
    building: str
    floor: str
    timezone: str
    capacity: int
    features: list[str]

    @staticmethod
    def resolve_id(room: Room) -> UUID:
        """Return the uuid; the integer key is internal."""
        return room.uuid

    @staticmethod
    def resolve_building(room: Room) -> str:
        """Return the slug of the building."""
        return room.floor.building.slug

    @staticmethod
    def resolve_floor(room: Room) -> str:
        """Return the slug of the floor."""
        return room.floor.slug

    @staticmethod
    def resolve_timezone(room: Room) -> str:
        """Return the IANA time zone of the building."""
        return room.floor.building.timezone

    @staticmethod
    def resolve_features(room: Room) -> list[str]:
        """Return the slugs of the features."""
        return [feature.slug for feature in room.features.all()]


class RoomDetailOut(RoomOut):
    """A room with its opening hours; none listed means always open."""

    opening_hours: list[OpeningHoursOut]

    @staticmethod
    def resolve_opening_hours(room: Room) -> list[dict[str, object]]:
        """Return the opening hours of the resolved policy."""
        [rules] = current_room_policies([room.uuid])
        return [
            {"weekday": weekday, "opens": opens, "closes": closes}
            for weekday, periods in sorted(rules.policy.hours.items())
            for opens, closes in periods
        ]


class RoomQuery(Schema):
    """The conditions of a search for rooms."""

    building: str | None = None
    floor: str | None = None
    min_capacity: int | None = Field(None, ge=1, le=5000)
    feature: list[str] = Field([], max_length=20)

    def as_filter(self) -> RoomFilter:
        """Return the query as a filter."""
        return RoomFilter(
            building=self.building,
            floor=self.floor,
            min_capacity=self.min_capacity,
            features=tuple(self.feature),
        )


@router.get("/rooms", response=list[RoomOut], summary="Find rooms")
@paginate(LimitOffsetPagination)
def list_rooms(request: HttpRequest, query: Query[RoomQuery]) -> QuerySet[Room]:  # noqa: ARG001
    """Return the rooms that match, in the order of the boards."""
    return find_rooms(query.as_filter())


@router.get("/rooms/{room_id}", response={200: RoomDetailOut, 404: Problem}, summary="One room")
def show_room(request: HttpRequest, room_id: UUID) -> Room:  # noqa: ARG001
    """Return one room with its opening hours."""
    return get_room(room_id)
