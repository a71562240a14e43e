"""REST: requests, which are bookings that wait for approval by a room manager."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router

from booking.api.booking_actions import CHANGED, MAX_REASON_LENGTH, ReasonIn
from booking.api.shapes import BookingOut, BookingPage, PageQuery, answer
from booking.commands.approve_booking import approve_booking, reject_booking
from booking.domain.states import BookingState
from booking.models import Booking
from booking.repository import get_booking, pending_rivals
from booking.transaction.database_clock import DATABASE_CLOCK
from identity.api_auth import actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Answer, Body
from rooms.policies.cache import room_policies

router = Router(tags=["requests"])


class RequestQuery(PageQuery):
    """Filters for the list of requests."""

    room: UUID | None = None
    building: str | None = Field(None, max_length=50)


class RejectIn(Body):
    """The reason for the rejection. The organizer of the request can read it."""

    reason: str = Field(min_length=1, max_length=MAX_REASON_LENGTH)


class RivalsOut(Answer):
    """The other requests that an approval would reject."""

    rivals: list[BookingOut]


@router.get(
    "/requests", response={200: BookingPage}, summary="List the requests that wait for approval"
)
def list_requests(request: HttpRequest, query: Query[RequestQuery]) -> BookingPage:
    """Return the pending bookings that are not over. The request that waits longest comes first."""
    viewer = actor_from(request)
    found = _pending(query)
    page = found[query.offset : query.offset + query.limit]
    items = [BookingOut.of(booking.as_data(), viewer) for booking in page]
    return BookingPage(items=items, count=found.count())


@router.get(
    "/bookings/{booking_id}/rivals",
    response={200: RivalsOut, 404: Problem},
    summary="List the requests that an approval would reject",
)
def list_rivals(request: HttpRequest, booking_id: UUID) -> RivalsOut:
    """Return the other requests that overlap this one. Approving this one would reject them."""
    viewer, facts = actor_from(request), get_booking(booking_id).as_data()
    [room] = room_policies([facts.room])
    rivals = pending_rivals(facts, room)
    return RivalsOut(rivals=[BookingOut.of(rival, viewer) for rival in rivals])


@router.post(
    "/bookings/{booking_id}/approve",
    response=CHANGED,
    operation_id="approve_booking",
    summary="Approve a request",
)
def approve(
    request: HttpRequest, response: HttpResponse, booking_id: UUID, body: ReasonIn | None = None
) -> BookingOut:
    """Confirm a pending booking, and reject the requests that overlap it. Room managers only."""
    actor, reason = actor_from(request), body.reason if body else ""
    facts = approve_booking(actor=actor, booking_id=booking_id, reason=reason)
    return answer(facts, actor, response)


@router.post(
    "/bookings/{booking_id}/reject",
    response=CHANGED,
    operation_id="reject_booking",
    summary="Reject a request",
)
def reject(
    request: HttpRequest, response: HttpResponse, booking_id: UUID, body: RejectIn
) -> BookingOut:
    """Reject a pending booking and store the reason. Room managers only."""
    actor = actor_from(request)
    facts = reject_booking(actor=actor, booking_id=booking_id, reason=body.reason)
    return answer(facts, actor, response)


def _pending(query: RequestQuery) -> QuerySet[Booking]:
    found = Booking.objects.select_related("room").filter(
        state=BookingState.PENDING, during__endswith__gt=DATABASE_CLOCK.now()
    )
    if query.room:
        found = found.filter(room__uuid=query.room)
    if query.building:
        found = found.filter(room__floor__building__slug=query.building)
    return found.order_by("created_at", "pk")
