"""REST: create, list, show and change bookings."""

from collections.abc import Mapping
from typing import Annotated, Any, Self
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from ninja import Field, Header, Query, Router, Status
from pydantic import StrictBool, model_validator

from booking.api.shapes import (
    MAX_TEXT,
    BookingOut,
    BookingPage,
    PageQuery,
    PeriodQuery,
    answer,
)
from booking.api.viewers import viewer_from
from booking.commands.book_room import MAX_ROOMS, BookRooms, book_rooms
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.domain.errors import SlotTakenError
from booking.domain.states import BookingState
from booking.queries.alternatives import suggest_alternatives
from booking.repository import bookings_during, get_booking
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.idempotency import MAX_KEY_LENGTH
from identity.api_auth import PEOPLE_AND_DEVICES, actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Body, Count, Instant, version_of
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.interval import Interval

router = Router(tags=["bookings"])
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        # The command checks the length, and refuses with a code of its own.
        description=f"A text of 1 to {MAX_KEY_LENGTH} printable characters that the client "
        "chooses, new for each booking. If a request is repeated with the same key and body, it is "
        "executed once and gets the same answer. The same key with another body is refused.",
    ),
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=100,
        description="The ETag of the booking or series that the client read. If it was changed "
        "since, the request is refused with 412. Without this header the last change wins.",
    ),
]


class BookingIn(Body):
    """A new booking of one `room` or of several `rooms`. The caller becomes its organizer."""

    room: UUID | None = None
    rooms: list[UUID] | None = Field(None, min_length=1, max_length=MAX_ROOMS)
    starts_at: Instant
    ends_at: Instant
    title: str = Field("", max_length=MAX_TEXT, examples=["Design review"])
    private: StrictBool = False
    attendees: Count | None = None

    @model_validator(mode="after")
    def _names_rooms_once(self) -> Self:
        if (self.room is None) == (self.rooms is None):
            raise ValueError("Give either 'room' or 'rooms', and not both.")
        return self

    def wanted(self) -> BookRooms:
        """Return the input of the command."""
        return BookRooms(
            rooms=tuple(self.rooms or ()) if self.room is None else (self.room,),
            interval=Interval.of(self.starts_at, self.ends_at),
            title=self.title,
            private=self.private,
            attendees=self.attendees,
        )


class BookedOut(BookingOut):
    """The new booking. If it has several rooms, this is the first part; `parts` has the others."""

    parts: list[BookingOut] = []


class BookingPatch(Body):
    """The new values. A member that is absent or null does not change."""

    starts_at: Instant | None = None
    ends_at: Instant | None = None
    room: UUID | None = None
    title: str | None = Field(None, max_length=MAX_TEXT)
    private: StrictBool | None = None
    attendees: Count | None = None


class BookingQuery(PeriodQuery, PageQuery):
    """Filters for the list of bookings."""

    room: UUID | None = None
    building: str | None = Field(None, max_length=50)
    mine: bool = Field(False, description="Only bookings whose organizer is the caller.")


@router.get("/bookings", response={200: BookingPage, 404: Problem}, summary="List bookings")
def list_bookings(request: HttpRequest, query: Query[BookingQuery]) -> BookingPage:
    """Return the bookings that overlap the period, earliest first. Holds are left out."""
    viewer = actor_from(request)
    wanted = Q()
    if query.room:
        wanted &= Q(room__uuid=query.room)
    if query.building:
        wanted &= Q(room__floor__building__slug=query.building)
    if query.mine:
        wanted &= Q(organizer=viewer.user_id)
    found = bookings_during(query.interval(), now=DATABASE_CLOCK.now()).filter(wanted)
    found = found.exclude(state=BookingState.HELD)  # a hold is not booked yet
    page = found[query.offset : query.offset + query.limit]
    items = [BookingOut.of(booking.as_data(), viewer) for booking in page]
    return BookingPage(items=items, count=found.count())


@router.post(
    "/bookings",
    response={201: BookedOut, 404: Problem, 409: Problem},
    summary="Book a room, or several together",
)
def create_booking(
    request: HttpRequest,
    response: HttpResponse,
    body: BookingIn,
    idempotency_key: IdempotencyKey = None,
) -> Status[BookedOut]:
    """Book one room or several rooms, all or none.

    A request with an `Idempotency-Key` can be repeated safely: it books once, and each repetition
    gets the same answer. If the slot is taken, the answer is 409 `slot_taken` with the `room`, the
    `taken` intervals and free `alternatives`.
    """
    actor, wanted = actor_from(request), body.wanted()
    try:
        first, *others = book_rooms(actor=actor, wanted=wanted, idempotency_key=idempotency_key)
    except SlotTakenError as taken:
        taken.facts = {**taken.facts, **_alternatives(taken.facts, wanted, actor)}
        raise
    shown = answer(first, actor, response)
    parts = [BookingOut.of(other, actor) for other in others]
    return Status(201, BookedOut.model_construct(**dict(shown), parts=parts))


@router.get(
    "/bookings/{booking_id}",
    response={200: BookingOut, 404: Problem},
    summary="Show a booking",
    auth=PEOPLE_AND_DEVICES,
)
def show_booking(request: HttpRequest, response: HttpResponse, booking_id: UUID) -> BookingOut:
    """Return one booking, in any state. A device can read the bookings of its rooms."""
    actor, facts = viewer_from(request), get_booking(booking_id).as_data()
    actor.require_room(facts.room)
    return answer(facts, actor, response)


@router.patch(
    "/bookings/{booking_id}",
    response={200: BookingOut, 404: Problem, 409: Problem, 412: Problem},
    summary="Change a booking",
)
def change_booking(
    request: HttpRequest,
    response: HttpResponse,
    booking_id: UUID,
    body: BookingPatch,
    if_match: IfMatch = None,
) -> BookingOut:
    """Change time, room or details. A new slot must follow the same rules as a new booking.

    With `If-Match`, a change to an outdated version is refused with 412 `stale_version`; `changed`
    lists the differences. Without this header the last change wins.
    """
    actor, version = actor_from(request), version_of(if_match)
    interval = None
    if body.starts_at or body.ends_at:
        stored = get_booking(booking_id).as_data()
        interval = Interval.of(
            body.starts_at or stored.interval.start, body.ends_at or stored.interval.end
        )
        version = (
            version or stored.version
        )  # the other end must not move between this read and the write
    edit = BookingEdit(
        interval=interval,
        room=body.room,
        title=body.title,
        private=body.private,
        attendees=body.attendees,
    )
    facts = edit_booking(actor=actor, booking_id=booking_id, edit=edit, expected_version=version)
    return answer(facts, actor, response)


def _alternatives(facts: Mapping[str, Any], wanted: BookRooms, actor: Actor) -> dict[str, Any]:
    found = suggest_alternatives(
        UUID(str(facts.get("room", wanted.rooms[0]))),
        wanted.interval,
        person=actor.user_id,
        attendees=wanted.attendees,
    )
    return {"alternatives": [alternative.as_json() for alternative in found]}
