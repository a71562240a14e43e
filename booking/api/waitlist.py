"""REST: wait for a slot that is taken."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Status

from booking.api.shapes import MAX_TEXT
from booking.commands.waitlist import stop_waiting, wait_for_slot
from booking.models import WaitingEntry
from identity.api_auth import actor_from, user_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Answer, Body, Instant
from meeting_rooms.kernel.interval import Interval

router = Router(tags=["waiting"])


class WaitingIn(Body):
    """The slot that is waited for."""

    room: UUID
    starts_at: Instant
    ends_at: Instant
    title: str = Field("", max_length=MAX_TEXT)


class WaitingOut(Answer):
    """A place in the line. `offer` is the hold that was made for the caller."""

    id: UUID
    room: UUID
    starts_at: datetime
    ends_at: datetime
    title: str
    created_at: datetime
    offer: UUID | None
    offered_at: datetime | None

    @classmethod
    def of(cls, entry: WaitingEntry) -> "WaitingOut":
        """Return the entry as the API shows it. Reads the room, so select it along."""
        return cls(
            id=entry.pk,
            room=entry.room.uuid,
            starts_at=entry.during.lower,
            ends_at=entry.during.upper,
            title=entry.title,
            created_at=entry.created_at,
            offer=entry.offer_id,
            offered_at=entry.offered_at,
        )


@router.post(
    "/waiting",
    response={201: WaitingOut, 404: Problem, 409: Problem, 429: Problem},
    operation_id="wait_for_slot",
    summary="Wait for a slot",
)
def wait(request: HttpRequest, body: WaitingIn) -> Status[WaitingOut]:
    """Get in line. When the slot comes free, the first in line is offered it as a hold.

    Waiting again for the same slot answers with the place one has.
    """
    entry = wait_for_slot(
        actor=actor_from(request),
        room=body.room,
        interval=Interval.of(body.starts_at, body.ends_at),
        title=body.title,
    )
    return Status(201, WaitingOut.of(entry))


@router.get("/waiting", response={200: list[WaitingOut]}, summary="What I wait for")
def list_waiting(request: HttpRequest) -> list[WaitingOut]:
    """Return the caller's places in lines, oldest first."""
    own = WaitingEntry.objects.select_related("room").filter(
        user=user_from(request), closed_at=None
    )
    return [WaitingOut.of(entry) for entry in own]


@router.delete(
    "/waiting/{entry_id}",
    response={204: None, 404: Problem},
    operation_id="stop_waiting",
    summary="Stop waiting",
)
def leave_line(request: HttpRequest, entry_id: UUID) -> Status[None]:
    """Leave the line. Repeating it is harmless."""
    stop_waiting(actor=actor_from(request), entry_id=entry_id)
    return Status(204, None)
