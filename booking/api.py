"""REST: availability and bookings."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Header, Query, Router, Schema, Status

from booking.alternatives import suggest_alternatives
from booking.clock import DATABASE_CLOCK
from booking.domain.facts import BookingFacts
from booking.domain.gaps import gaps, merge
from booking.domain.privacy import BUSY_TITLE, may_read_details
from booking.domain.refusals import SlotTakenError
from booking.domain.states import BookingState
from booking.selectors import (
    bookings_during,
    get_booking,
    rooms_free_during,
    unavailable_intervals,
)
from booking.services.book_room import BookRooms, book_room
from booking.services.cancel_booking import cancel_booking
from booking.services.check_in import check_in
from booking.services.end_booking import end_booking
from identity.api_auth import actor_from
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.problem import Problem
from rooms.api import RoomOut, RoomQuery
from rooms.selectors import find_rooms, get_room

router = Router(tags=["bookings"])
MAX_QUERY_DAYS = 62


class IntervalOut(Schema):
    """A stretch of time, `[starts_at, ends_at)`."""

    starts_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, interval: Interval) -> "IntervalOut":
        """Return the interval as the API shows it."""
        return cls(starts_at=interval.start, ends_at=interval.end)


class BookingIn(Schema):
    """A booking to be made. Times carry an offset; the organizer is whoever calls."""

    room: UUID
    starts_at: datetime = Field(examples=["2026-03-02T09:00:00+02:00"])
    ends_at: datetime = Field(examples=["2026-03-02T10:00:00+02:00"])
    title: str = Field("", examples=["Design review"])
    private: bool = False


class BookingOut(Schema):
    """A booking as the caller may see it: details of others' private ones are "Busy"."""

    id: UUID
    room: UUID
    starts_at: datetime
    ends_at: datetime
    title: str
    organizer: str
    private: bool
    state: BookingState
    check_in_until: datetime | None

    @classmethod
    def of(cls, facts: BookingFacts, viewer: Actor) -> "BookingOut":
        """Return the booking as `viewer` may read it."""
        readable = may_read_details(facts, viewer)
        return cls(
            id=facts.id,
            room=facts.room,
            starts_at=facts.interval.start,
            ends_at=facts.interval.end,
            title=facts.title if readable else BUSY_TITLE,
            organizer=facts.organizer if readable else "",
            private=facts.private,
            state=facts.state,
            check_in_until=facts.check_in_until,
        )


class AvailabilityOut(Schema):
    """When a room can and cannot be booked."""

    room: UUID
    busy: list[IntervalOut]
    free: list[IntervalOut]


class PeriodQuery(Schema):
    """A stretch of time to look at; at most 62 days."""

    starts_at: datetime
    ends_at: datetime

    def interval(self) -> Interval:
        """Return the stretch. Raises InvalidCommandError if it is empty or too long."""
        interval = Interval.of(self.starts_at, self.ends_at)
        if interval.duration.days >= MAX_QUERY_DAYS:
            raise InvalidCommandError(
                f"Ask for at most {MAX_QUERY_DAYS} days at once.", code="period_too_long"
            )
        return interval


class BookingQuery(PeriodQuery):
    """Which bookings to list."""

    room: UUID | None = None
    building: str | None = None
    limit: int = Field(100, ge=1, le=500)
    offset: int = Field(0, ge=0, le=10_000_000)


class BookingPage(Schema):
    """A page of bookings and how many there are in all."""

    items: list[BookingOut]
    count: int


@router.get(
    "/rooms/{room_id}/availability",
    response={200: AvailabilityOut, 404: Problem, 422: Problem},
    summary="When one room is free",
)
def room_availability(
    request: HttpRequest,  # noqa: ARG001
    room_id: UUID,
    query: Query[PeriodQuery],
) -> AvailabilityOut:
    """Return the room's busy and free stretches. Closures count as busy."""
    room, interval = get_room(room_id), query.interval()
    taken = unavailable_intervals([room], interval, now=DATABASE_CLOCK.now()).get(room.pk, [])
    return AvailabilityOut(
        room=room_id,
        busy=[IntervalOut.of(i) for i in merge(taken)],
        free=[IntervalOut.of(i) for i in gaps(taken, interval)],
    )


@router.get(
    "/availability", response={200: list[RoomOut], 422: Problem}, summary="Which rooms are free"
)
def free_rooms(
    request: HttpRequest,  # noqa: ARG001
    period: Query[PeriodQuery],
    query: Query[RoomQuery],
) -> list[Any]:
    """Return the rooms that are free throughout the period and match."""
    rooms = find_rooms(query.as_filter())
    return rooms_free_during(rooms, period.interval(), now=DATABASE_CLOCK.now())


@router.get("/bookings", response={200: BookingPage, 422: Problem}, summary="List bookings")
def list_bookings(request: HttpRequest, query: Query[BookingQuery]) -> BookingPage:
    """Return the bookings that take a part of the period, earliest first."""
    found = bookings_during(query.interval(), now=DATABASE_CLOCK.now())
    found = found.exclude(state=BookingState.HELD)  # nobody has booked it yet
    if query.room:
        found = found.filter(room__uuid=query.room)
    if query.building:
        found = found.filter(room__floor__building__slug=query.building)
    viewer = actor_from(request)
    page = found[query.offset : query.offset + query.limit]
    return BookingPage(
        items=[BookingOut.of(booking.facts(), viewer) for booking in page], count=found.count()
    )


@router.post(
    "/bookings",
    response={201: BookingOut, 404: Problem, 409: Problem, 422: Problem},
    summary="Book a room",
)
def create_booking(
    request: HttpRequest,
    body: BookingIn,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> Status[BookingOut]:
    """Book a room.

    Send an `Idempotency-Key` of your own making and repeat the request as often as you like: it
    books once and answers the same. On `slot_taken` the answer names the interval that is taken
    and what is free instead.
    """
    actor = actor_from(request)
    interval = Interval.of(body.starts_at, body.ends_at)
    wanted = BookRooms.one(
        room=body.room, interval=interval, title=body.title, private=body.private
    )
    try:
        facts = book_room(actor=actor, wanted=wanted, idempotency_key=idempotency_key)
    except SlotTakenError as taken:
        taken.facts = {**taken.facts, "alternatives": _alternatives(body.room, interval)}
        raise
    return Status(201, BookingOut.of(facts, actor))


@router.get("/bookings/{booking_id}", response={200: BookingOut, 404: Problem})
def show_booking(request: HttpRequest, booking_id: UUID) -> BookingOut:
    """Return one booking, in whatever state."""
    return BookingOut.of(get_booking(booking_id).facts(), actor_from(request))


_CHANGE = {200: BookingOut, 403: Problem, 404: Problem, 409: Problem}


@router.post("/bookings/{booking_id}/cancel", response=_CHANGE, summary="Cancel a booking")
def cancel(request: HttpRequest, booking_id: UUID) -> BookingOut:
    """Give the slot back. Repeating it is harmless."""
    actor = actor_from(request)
    return BookingOut.of(cancel_booking(actor=actor, booking_id=booking_id), actor)


@router.post("/bookings/{booking_id}/check-in", response=_CHANGE, summary="Check in")
def arrive(request: HttpRequest, booking_id: UUID) -> BookingOut:
    """Say that somebody has come. Opens 10 minutes before the start."""
    actor = actor_from(request)
    return BookingOut.of(check_in(actor=actor, booking_id=booking_id), actor)


@router.post("/bookings/{booking_id}/end", response=_CHANGE, summary="Leave early")
def leave(request: HttpRequest, booking_id: UUID) -> BookingOut:
    """End a running booking; the rest of its time is free at once."""
    actor = actor_from(request)
    return BookingOut.of(end_booking(actor=actor, booking_id=booking_id), actor)


def _alternatives(room: UUID, wanted: Interval) -> list[dict[str, Any]]:
    found = suggest_alternatives(room, wanted, now=DATABASE_CLOCK.now())
    return [
        {
            "room": str(a.room.uuid),
            "name": a.room.name,
            "starts_at": a.interval.start.isoformat(),
            "ends_at": a.interval.end.isoformat(),
        }
        for a in found
    ]
