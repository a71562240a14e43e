"""REST: what happens to a booking that is made: come, leave, stay longer, undo, trade rooms."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router
from pydantic import StrictInt

from booking.api.shapes import BookingOut, answer
from booking.api.viewers import viewer_from
from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.end_booking import end_booking
from booking.commands.extend_booking import extend_booking
from booking.commands.restore_booking import restore_booking
from booking.commands.swap_rooms import swap_rooms
from booking.queries.history import history_of
from identity.api_auth import PEOPLE_AND_DEVICES, actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Answer, Body
from meeting_rooms.kernel.actor import ActorKind

router = Router(tags=["bookings"])
MAX_REASON_LENGTH = 200
MAX_EXTENSION_MINUTES = 24 * 60
CHANGED = {200: BookingOut, 404: Problem, 409: Problem}


class ReasonIn(Body):
    """Why, for whoever reads the history."""

    reason: str = Field("", max_length=MAX_REASON_LENGTH)


class ExtendIn(Body):
    """How much longer."""

    minutes: StrictInt = Field(ge=1, le=MAX_EXTENSION_MINUTES)


class SwapIn(Body):
    """The booking to trade rooms with."""

    other: UUID


class SwapOut(Answer):
    """Both bookings, each in the other's room."""

    booking: BookingOut
    other: BookingOut


class HistoryOut(Answer):
    """One fact: who did what, when and why. `changed` maps members to `{was, is}`."""

    at: datetime
    actor_kind: ActorKind
    actor: str
    command: str
    reason: str
    changed: dict[str, Any]


@router.post(
    "/bookings/{booking_id}/cancel",
    response=CHANGED,
    operation_id="cancel_booking",
    summary="Cancel a booking",
)
def cancel(
    request: HttpRequest, response: HttpResponse, booking_id: UUID, body: ReasonIn | None = None
) -> BookingOut:
    """Give the slot back, in all rooms of the booking. Repeating it is harmless."""
    actor, reason = actor_from(request), body.reason if body else ""
    facts = cancel_booking(actor=actor, booking_id=booking_id, reason=reason)
    return answer(facts, actor, response)


@router.post(
    "/bookings/{booking_id}/check-in",
    response=CHANGED,
    operation_id="check_in",
    summary="Check in",
    auth=PEOPLE_AND_DEVICES,
)
def arrive(request: HttpRequest, response: HttpResponse, booking_id: UUID) -> BookingOut:
    """Say that somebody has come. Before the window opens the answer says when it does."""
    actor = viewer_from(request)
    return answer(check_in(actor=actor, booking_id=booking_id), actor, response)


@router.post(
    "/bookings/{booking_id}/end",
    response=CHANGED,
    operation_id="end_booking",
    summary="Leave early",
    auth=PEOPLE_AND_DEVICES,
)
def leave(request: HttpRequest, response: HttpResponse, booking_id: UUID) -> BookingOut:
    """End a running booking; the rest of its time is free at once.

    A device ends what was booked at its door, and nothing else.
    """
    actor = viewer_from(request)
    return answer(end_booking(actor=actor, booking_id=booking_id), actor, response)


@router.post(
    "/bookings/{booking_id}/extend",
    response={**CHANGED, 412: Problem},
    operation_id="extend_booking",
    summary="Stay longer",
)
def stay_longer(
    request: HttpRequest, response: HttpResponse, booking_id: UUID, body: ExtendIn
) -> BookingOut:
    """End later. Where the next booking is in the way, `possible_minutes` says what there is."""
    actor = actor_from(request)
    facts = extend_booking(actor=actor, booking_id=booking_id, minutes=body.minutes)
    return answer(facts, actor, response)


@router.post(
    "/bookings/{booking_id}/restore",
    response=CHANGED,
    operation_id="restore_booking",
    summary="Undo",
)
def restore(request: HttpRequest, response: HttpResponse, booking_id: UUID) -> BookingOut:
    """Take a cancellation or a release back, while the slot is still free."""
    actor = actor_from(request)
    return answer(restore_booking(actor=actor, booking_id=booking_id), actor, response)


@router.post(
    "/bookings/{booking_id}/swap",
    response={200: SwapOut, 404: Problem, 409: Problem},
    operation_id="swap_rooms",
    summary="Trade rooms with another booking",
)
def trade_rooms(request: HttpRequest, booking_id: UUID, body: SwapIn) -> SwapOut:
    """Give each booking the other's room at its own time; both or neither."""
    actor = actor_from(request)
    one, other = swap_rooms(actor=actor, booking_id=booking_id, other_id=body.other)
    return SwapOut(booking=BookingOut.of(one, actor), other=BookingOut.of(other, actor))


@router.get(
    "/bookings/{booking_id}/history",
    response={200: list[HistoryOut], 404: Problem},
    summary="What happened to a booking",
)
def show_history(request: HttpRequest, booking_id: UUID) -> list[HistoryOut]:
    """Return the facts of the audit log, oldest first.

    What was written while the booking was private keeps its names and titles to itself.
    """
    entries = history_of(booking_id, actor_from(request))
    return [HistoryOut.model_validate(entry) for entry in entries]
