"""REST: holds, which reserve a slot while a person fills in the booking."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from booking.api.shapes import BookingOut, answer
from booking.commands.hold_slot import hold_slot
from booking.commands.release_hold import release_hold
from booking.commands.renew_hold import renew_hold
from identity.api_auth import actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Body, Instant
from meeting_rooms.kernel.interval import Interval

router = Router(tags=["holds"])


class HoldIn(Body):
    """The slot to hold."""

    room: UUID
    starts_at: Instant
    ends_at: Instant


@router.post(
    "/holds",
    response={201: BookingOut, 404: Problem, 409: Problem, 429: Problem},
    summary="Hold a slot",
    operation_id="hold_slot",
)
def create_hold(request: HttpRequest, response: HttpResponse, body: HoldIn) -> Status[BookingOut]:
    """Hold the slot for two minutes. Until `held_until` no other person can book it.

    Repeating the request renews the hold, so no Idempotency-Key is needed. To book the slot, use
    `POST /bookings` with the same room and time.
    """
    actor = actor_from(request)
    interval = Interval.of(body.starts_at, body.ends_at)
    facts = hold_slot(actor=actor, room=body.room, interval=interval)
    return Status(201, answer(facts, actor, response))


@router.post(
    "/holds/{hold_id}/renew",
    response={200: BookingOut, 404: Problem, 409: Problem},
    summary="Renew a hold",
    operation_id="renew_hold",
)
def renew(request: HttpRequest, response: HttpResponse, hold_id: UUID) -> BookingOut:
    """Renew the hold until two minutes from now. The maximum is six minutes in all."""
    actor = actor_from(request)
    return answer(renew_hold(actor=actor, hold=hold_id), actor, response)


@router.delete(
    "/holds/{hold_id}",
    response={204: None, 404: Problem},
    summary="Release a hold",
    operation_id="release_hold",
)
def release(request: HttpRequest, hold_id: UUID) -> Status[None]:
    """Release the hold at once. A hold that is over or was booked does not change."""
    release_hold(actor=actor_from(request), hold=hold_id)
    return Status(204, None)
