"""REST: take rooms out of service, and reopen them."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Status
from pydantic import model_validator

from booking.api.shapes import BookingOut, PeriodQuery
from booking.commands.close_room import (
    FURTHER_NOTICE,
    MAX_LISTED,
    MAX_REASON_LENGTH,
    CloseRoom,
    Fate,
    close_room,
    reopen_room,
)
from booking.domain.error_codes import BookingErrorCode
from booking.repository import bookings_in_the_way
from booking.transaction.database_clock import DATABASE_CLOCK
from identity.api_auth import actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Answer, Body, Instant
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from rooms.queries import closures_during, get_room

router = Router(tags=["closures"])


class FateIn(Body):
    """What happens to one booking that overlaps the closure. `move` needs the new `room`."""

    booking: UUID
    fate: Literal["keep", "cancel", "move"]
    room: UUID | None = None

    @model_validator(mode="after")
    def _moves_somewhere(self) -> Self:
        if (self.fate == "move") != (self.room is not None):
            raise ValueError("'move' needs a 'room'. 'keep' and 'cancel' do not take one.")
        return self

    def fate_or_room(self) -> Fate | UUID:
        """Return the input of the command: a room to move to, or a Fate."""
        return self.room if self.room is not None else Fate(self.fate)


class ClosureIn(Body):
    """Start, end and reason of a closure. Without an end the room is closed until further notice.

    `fates` says for single bookings what happens to them, and `others` for all remaining bookings.
    """

    starts_at: Instant
    ends_at: Instant | None = None
    reason: str = Field(min_length=1, max_length=MAX_REASON_LENGTH)
    fates: list[FateIn] = Field([], max_length=MAX_LISTED)
    others: Fate | None = Field(
        None, description="What happens to the bookings that `fates` does not name."
    )


class ClosureOut(Answer):
    """An interval in which a room is out of service. No end: until further notice."""

    id: int
    room: UUID
    starts_at: datetime
    ends_at: datetime | None
    reason: str


class ClosedOut(ClosureOut):
    """The new closure, and the bookings that were cancelled or moved because of it.

    `changed_count` is the number of these bookings; `changed` has the first 500.
    """

    changed_count: int
    changed: list[BookingOut]


class AffectedQuery(Body):
    """Start and end of a possible closure. No end: until further notice."""

    starts_at: Instant
    ends_at: Instant | None = None


class AffectedOut(Answer):
    """The bookings that overlap the closure.

    `count` is the number of these bookings; `bookings` has the first 500.
    """

    count: int
    bookings: list[BookingOut]


@router.get(
    "/rooms/{room_id}/closures/affected",
    response={200: AffectedOut, 404: Problem},
    summary="List the bookings that a closure would affect",
)
def list_affected(request: HttpRequest, room_id: UUID, query: Query[AffectedQuery]) -> AffectedOut:
    """Return the bookings that overlap the closure, earliest first.

    A request to close the room must say what happens to each of these bookings.
    """
    viewer, room = actor_from(request), get_room(room_id)
    window = Interval.of(query.starts_at, query.ends_at or query.starts_at + FURTHER_NOTICE)
    found = bookings_in_the_way(room, window, now=DATABASE_CLOCK.now())
    shown = [BookingOut.of(booking.as_data(), viewer) for booking in found[:MAX_LISTED]]
    return AffectedOut(count=found.count(), bookings=shown)


@router.get(
    "/rooms/{room_id}/closures",
    response={200: list[ClosureOut], 404: Problem},
    summary="List the closures of a room",
)
def list_closures(
    request: HttpRequest,  # noqa: ARG001
    room_id: UUID,
    query: Query[PeriodQuery],
) -> list[ClosureOut]:
    """Return the closures that overlap the period, earliest first."""
    room, window = get_room(room_id), query.interval()
    found = closures_during([room], window.start, window.end).order_by("starts_at", "pk")
    return [
        ClosureOut(
            id=closure.pk,
            room=room_id,
            starts_at=closure.starts_at,
            ends_at=closure.ends_at,
            reason=closure.reason,
        )
        for closure in found
    ]


@router.post(
    "/rooms/{room_id}/closures",
    response={201: ClosedOut, 404: Problem, 409: Problem},
    operation_id="close_room",
    summary="Take a room out of service",
)
def close(request: HttpRequest, room_id: UUID, body: ClosureIn) -> Status[ClosedOut]:
    """Close the room. The request must say what happens to each booking that overlaps the closure.

    If it does not, the answer is 409 `bookings_affected` with these bookings, and the room stays
    open. Room managers only.
    """
    actor = actor_from(request)
    fates = {fate.booking: fate.fate_or_room() for fate in body.fates}
    if len(fates) < len(body.fates):
        raise InvalidCommandError(
            "'fates' names a booking twice. Name each booking once.",
            code=BookingErrorCode.BOOKING_NAMED_TWICE,
        )
    wanted = CloseRoom(room_id, body.starts_at, body.ends_at, body.reason, fates, body.others)
    closure_id, changed = close_room(actor=actor, wanted=wanted)
    closed = ClosedOut(
        id=closure_id,
        room=room_id,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        reason=body.reason.strip(),
        changed_count=len(changed),
        changed=[BookingOut.of(facts, actor) for facts in changed[:MAX_LISTED]],
    )
    return Status(201, closed)


@router.delete(
    "/closures/{closure_id}",
    response={204: None, 404: Problem},
    operation_id="reopen_room",
    summary="Reopen a room",
)
def reopen(request: HttpRequest, closure_id: int) -> Status[None]:
    """End the closure now. A closure that has not begun is deleted. Room managers only."""
    reopen_room(actor=actor_from(request), closure_id=closure_id)
    return Status(204, None)
