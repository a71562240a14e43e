"""REST: the bookings of many rooms on one local day."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router
from pydantic import AfterValidator, BaseModel

from booking.api.shapes import BookingOut, as_members
from booking.api.viewers import viewer_from
from booking.queries.day_view import RoomDay, day_of_rooms
from booking.transaction.database_clock import DATABASE_CLOCK
from identity.api_auth import PEOPLE_AND_DEVICES
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import FIRST_YEAR, LAST_YEAR, Answer
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError
from rooms.queries import RoomFilter, find_rooms, get_building

router = Router(tags=["days"])


def _within_bounds(day: date) -> date:
    if not FIRST_YEAR < day.year < LAST_YEAR:
        raise InvalidCommandError(
            f"The day is out of range. Choose a year from {FIRST_YEAR + 1} to {LAST_YEAR - 1}.",
            code=KernelErrorCode.INVALID_TIME,
        )
    return day


Day = Annotated[date, AfterValidator(_within_bounds)]


class DayQuery(BaseModel):
    """Filters for the rooms."""

    building: str | None = Field(None, max_length=50)
    floor: str | None = Field(None, max_length=50)


class OutOfServiceOut(Answer):
    """An interval in which a room is out of service. No end: until further notice."""

    starts_at: datetime
    ends_at: datetime | None
    reason: str


class RoomDayOut(Answer):
    """One local day of a room, with its bookings and closures."""

    room: UUID
    name: str
    timezone: str
    starts_at: datetime = Field(description="The first instant of the day in the room's time zone.")
    ends_at: datetime
    bookings: list[BookingOut]
    closures: list[OutOfServiceOut]


class DayOut(Answer):
    """The bookings of rooms on one local date, each room in its own time zone.

    `as_of` is the instant of the answer.
    """

    date: date
    as_of: datetime
    rooms: list[RoomDayOut]


@router.get(
    "/days/{day}",
    response={200: DayOut, 404: Problem},
    summary="Show a day of many rooms",
    auth=PEOPLE_AND_DEVICES,
)
def show_day(request: HttpRequest, day: Day, query: Query[DayQuery]) -> HttpResponse:
    """Return the bookings and closures of one local day, with the rooms in the order of the boards.

    The day is the local day of each room and does not depend on the caller's time zone. A device
    gets only its own rooms.
    """
    viewer, now = viewer_from(request), DATABASE_CLOCK.now()
    if query.building:
        get_building(query.building)
    rooms = find_rooms(RoomFilter(building=query.building, floor=query.floor))
    if viewer.is_device:
        rooms = rooms.filter(uuid__in=viewer.rooms)
    found = day_of_rooms(rooms.prefetch_related(None), day, now=now)
    shown = {"date": day, "as_of": now, "rooms": [_as_members(one, viewer) for one in found]}
    # Not as a DayOut: the framework would validate thousands of bookings again, which is slow.
    written = orjson.dumps(shown, option=orjson.OPT_UTC_Z)
    return HttpResponse(written, content_type="application/json; charset=utf-8")


def _as_members(found: RoomDay, viewer: Actor) -> dict[str, Any]:
    """Return the members of a RoomDayOut, with only what the viewer may read."""
    return {
        "room": found.room.uuid,
        "name": found.room.name,
        "timezone": found.zone.key,
        "starts_at": found.day.start,
        "ends_at": found.day.end,
        "bookings": [as_members(booking, viewer) for booking in found.bookings],
        "closures": [
            {"starts_at": one.starts_at, "ends_at": one.ends_at, "reason": one.reason}
            for one in found.closures
        ],
    }
