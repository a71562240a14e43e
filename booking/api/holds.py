"""REST: keep a slot while its booking is being filled in."""

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
    """The slot to be kept."""

    room: UUID
    starts_at: Instant
    ends_at: Instant


@router.post(
    "/holds",
    response={201: BookingOut, 404: Problem, 409: Problem, 429: Problem},
    summary="Hold a slot",
    operation_id="hold_slot",
)
def make_hold(request: HttpRequest, response: HttpResponse, body: HoldIn) -> Status[BookingOut]:
    """Hold the slot for two minutes: until `held_until` nobody else can book it.

    Repeating it renews the hold, so it needs no Idempotency-Key. Book the slot to confirm it.
    """
    actor = actor_from(request)
    interval = Interval.of(body.starts_at, body.ends_at)
    facts = hold_slot(actor=actor, room=body.room, interval=interval)
    return Status(201, answer(facts, actor, response))


@router.post(
    "/holds/{hold_id}/renew",
    response={200: BookingOut, 404: Problem, 409: Problem},
    summary="Hold it for longer",
    operation_id="renew_hold",
)
def keep_hold(request: HttpRequest, response: HttpResponse, hold_id: UUID) -> BookingOut:
    """Hold for two more minutes from now, six in all."""
    actor = actor_from(request)
    return answer(renew_hold(actor=actor, hold=hold_id), actor, response)


@router.delete(
    "/holds/{hold_id}",
    response={204: None, 404: Problem},
    summary="Let a hold go",
    operation_id="release_hold",
)
def end_hold(request: HttpRequest, hold_id: UUID) -> Status[None]:
    """Give the slot back at once. Harmless for a hold that is over or was booked."""
    release_hold(actor=actor_from(request), hold=hold_id)
    return Status(204, None)
