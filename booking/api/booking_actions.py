"""REST: cancel, check in, end, extend, restore and swap a booking, and show its history."""

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
MAX_REASON_LENGTH = 200  # characters, as in the audit log
MAX_EXTENSION_MINUTES = 24 * 60  # the rules of the room limit it further
CHANGED = {200: BookingOut, 404: Problem, 409: Problem}


class ReasonIn(Body):
    """The reason, which is stored in the history of the booking."""

    reason: str = Field("", max_length=MAX_REASON_LENGTH)


class ExtendIn(Body):
    """The number of minutes by which the booking becomes longer."""

    minutes: StrictInt = Field(ge=1, le=MAX_EXTENSION_MINUTES)


class SwapIn(Body):
    """The booking to swap rooms with."""

    other: UUID


class SwapOut(Answer):
    """Both bookings after the swap."""

    booking: BookingOut
    other: BookingOut


class HistoryOut(Answer):
    """One entry of the audit log: time, actor, command, reason and changes.

    `changed` maps each member that changed to `{was, is}`.
    """

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
    """Cancel the booking, in all its rooms. Repeating the request changes nothing more."""
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
def check_in_booking(request: HttpRequest, response: HttpResponse, booking_id: UUID) -> BookingOut:
    """Record that people have come. Too early, the answer is 409 `too_early` with `opens_at`."""
    actor = viewer_from(request)
    return answer(check_in(actor=actor, booking_id=booking_id), actor, response)


@router.post(
    "/bookings/{booking_id}/end",
    response=CHANGED,
    operation_id="end_booking",
    summary="End a booking early",
    auth=PEOPLE_AND_DEVICES,
)
def end_booking_now(request: HttpRequest, response: HttpResponse, booking_id: UUID) -> BookingOut:
    """End a running booking now. The rest of its time becomes free at once.

    A device can end only walk-ups, which are bookings made at a door.
    """
    actor = viewer_from(request)
    return answer(end_booking(actor=actor, booking_id=booking_id), actor, response)


@router.post(
    "/bookings/{booking_id}/extend",
    response={**CHANGED, 412: Problem},
    operation_id="extend_booking",
    summary="Extend a booking",
)
def extend(
    request: HttpRequest, response: HttpResponse, booking_id: UUID, body: ExtendIn
) -> BookingOut:
    """Make the booking end later.

    If another booking is in the way, the answer is 409 and `possible_minutes` is the possible
    extension.
    """
    actor = actor_from(request)
    facts = extend_booking(actor=actor, booking_id=booking_id, minutes=body.minutes)
    return answer(facts, actor, response)


@router.post(
    "/bookings/{booking_id}/restore",
    response=CHANGED,
    operation_id="restore_booking",
    summary="Undo a cancellation or a release",
)
def restore(request: HttpRequest, response: HttpResponse, booking_id: UUID) -> BookingOut:
    """Restore a booking that was cancelled or released, if its slot is still free."""
    actor = actor_from(request)
    return answer(restore_booking(actor=actor, booking_id=booking_id), actor, response)


@router.post(
    "/bookings/{booking_id}/swap",
    response={200: SwapOut, 404: Problem, 409: Problem},
    operation_id="swap_rooms",
    summary="Swap rooms with another booking",
)
def swap(request: HttpRequest, booking_id: UUID, body: SwapIn) -> SwapOut:
    """Move each of the two bookings to the room of the other one. The times stay.

    If one of them cannot move, neither moves.
    """
    actor = actor_from(request)
    one, other = swap_rooms(actor=actor, booking_id=booking_id, other_id=body.other)
    return SwapOut(booking=BookingOut.of(one, actor), other=BookingOut.of(other, actor))


@router.get(
    "/bookings/{booking_id}/history",
    response={200: list[HistoryOut], 404: Problem},
    summary="Show the history of a booking",
)
def show_history(request: HttpRequest, booking_id: UUID) -> list[HistoryOut]:
    """Return the entries of the audit log about this booking, oldest first.

    Names, titles and reasons are hidden from other people if the booking is private, or was private
    at the time of the entry.
    """
    entries = history_of(booking_id, actor_from(request))
    return [HistoryOut.model_validate(entry) for entry in entries]
