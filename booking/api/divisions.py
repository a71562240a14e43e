"""REST: divide a hall into parts."""

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Status
from pydantic import StrictInt

from booking.commands.divide_hall import MAX_CELLS, divide_hall
from booking.domain.error_codes import BookingErrorCode
from identity.api_auth import actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Body
from meeting_rooms.kernel.errors import InvalidCommandError

router = Router(tags=["halls"])
MAX_PARTS = 64  # of one hall
Cell = Annotated[StrictInt, Field(ge=1, le=MAX_CELLS)]


class PartIn(Body):
    """One part of the hall: its room, and its first and last cell. Cells are numbered from 1."""

    room: UUID
    first: Cell
    last: Cell


class DivisionIn(Body):
    """The division of a hall: the number of its cells, and the cells of each part."""

    cells: StrictInt = Field(ge=2, le=MAX_CELLS)
    parts: list[PartIn] = Field(max_length=MAX_PARTS)


@router.put(
    "/rooms/{room_id}/division",
    response={204: None, 404: Problem, 409: Problem},
    operation_id="divide_hall",
    summary="Divide a hall",
)
def divide(request: HttpRequest, room_id: UUID, body: DivisionIn) -> Status[None]:
    """Divide the hall into cells and give each part its cells.

    Parts with a common cell block each other, and the hall and its parts block each other. A new
    division replaces the previous one. Admins only.
    """
    parts = {part.room: (part.first, part.last) for part in body.parts}
    if len(parts) < len(body.parts) or room_id in parts:
        raise InvalidCommandError(
            "'parts' names a room twice, or the hall itself. Name each part once.",
            code=BookingErrorCode.PART_NAMED_TWICE,
        )
    divide_hall(actor=actor_from(request), hall=room_id, cells=body.cells, parts=parts)
    return Status(204, None)
