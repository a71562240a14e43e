"""REST: the waitlist for slots that are taken."""

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
    """The slot to wait for, and the title of its booking."""

    room: UUID
    starts_at: Instant
    ends_at: Instant
    title: str = Field("", max_length=MAX_TEXT)


class WaitingOut(Answer):
    """An entry of the waitlist. `offer` is the id of the hold that was made for the caller."""

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
        """Return the entry as the API shows it. Load it with `select_related("room")`."""
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
    summary="Join the waitlist for a slot",
)
def join_waitlist(request: HttpRequest, body: WaitingIn) -> Status[WaitingOut]:
    """Put the caller on the waitlist for a slot that is taken.

    When the slot becomes free, a hold is made for the first person on the waitlist. If the caller
    waits for this slot already, the answer is the existing entry.
    """
    entry = wait_for_slot(
        actor=actor_from(request),
        room=body.room,
        interval=Interval.of(body.starts_at, body.ends_at),
        title=body.title,
    )
    return Status(201, WaitingOut.of(entry))


@router.get(
    "/waiting", response={200: list[WaitingOut]}, summary="List the caller's waitlist entries"
)
def list_waiting(request: HttpRequest) -> list[WaitingOut]:
    """Return the open waitlist entries of the caller, oldest first."""
    own = WaitingEntry.objects.select_related("room").filter(
        user=user_from(request), closed_at=None
    )
    return [WaitingOut.of(entry) for entry in own]


@router.delete(
    "/waiting/{entry_id}",
    response={204: None, 404: Problem},
    operation_id="stop_waiting",
    summary="Leave the waitlist",
)
def leave_waitlist(request: HttpRequest, entry_id: UUID) -> Status[None]:
    """Remove the caller's entry. Repeating the request changes nothing more."""
    stop_waiting(actor=actor_from(request), entry_id=entry_id)
    return Status(204, None)
