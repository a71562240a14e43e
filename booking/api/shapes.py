"""What the REST answers about bookings are made of, and the queries they share."""

from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from pydantic import BaseModel, Field

from booking.domain.booking_data import BookingData
from booking.domain.error_codes import BookingErrorCode
from booking.domain.privacy import as_read_by
from booking.domain.states import BookingState
from meeting_rooms.http.schema_types import Answer, Instant, entity_tag
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval

MAX_QUERY_DAYS = 62
MAX_TEXT = 1_000  # characters of any text in a body; each command has a tighter bound of its own


class IntervalOut(Answer):
    """A stretch of time, `[starts_at, ends_at)`."""

    starts_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, interval: Interval) -> "IntervalOut":
        """Return the interval as the API shows it."""
        return cls(starts_at=interval.start, ends_at=interval.end)


class BookingOut(Answer):
    """A booking as the caller may see it: details of others' private ones are "Busy"."""

    id: UUID
    room: UUID
    starts_at: datetime
    ends_at: datetime
    local_start: str = Field(description="As meant, on the clock of the room's wall.")
    local_end: str
    title: str
    organizer: str
    private: bool
    state: BookingState
    attendees: int | None
    check_in_until: datetime | None
    held_until: datetime | None = Field(description="When this hold runs out; only for holds.")
    version: int = Field(description="Rises with every change; the ETag of a single booking.")
    group: UUID | None = Field(description="The same for all parts of a booking of several rooms.")
    series: UUID | None
    recurrence_id: str | None = Field(description="The series' own date of this occurrence.")
    flags: list[str] = Field(description="Rules that were overridden, clock times that shifted.")

    @classmethod
    def of(cls, facts: BookingData, viewer: Actor) -> "BookingOut":
        """Return the booking as `viewer` may read it."""
        return cls.model_construct(**as_members(facts, viewer))  # nothing came from outside


def as_members(facts: BookingData, viewer: Actor) -> dict[str, Any]:
    """Return the members of a BookingOut as plain values, for answers with thousands of them."""
    members = dict(zip(_MEMBERS, _values(as_read_by(facts, viewer)), strict=True))
    members["flags"] = list(members["flags"])
    return members


# Which attribute of BookingData a member of BookingOut shows, where the two names differ.
_ATTRIBUTES = {
    "starts_at": "interval.start",
    "ends_at": "interval.end",
    "held_until": "expires_at",
    "group": "group_id",
    "series": "series_id",
}
_MEMBERS = tuple(BookingOut.model_fields)
_values = attrgetter(*(_ATTRIBUTES.get(member, member) for member in _MEMBERS))


class BookingPage(Answer):
    """A page of bookings and how many there are in all."""

    items: list[BookingOut]
    count: int


class PeriodQuery(BaseModel):
    """A stretch of time to look at; at most 62 days."""

    starts_at: Instant
    ends_at: Instant

    def interval(self) -> Interval:
        """Return the stretch. Raises InvalidCommandError if it is empty or too long."""
        interval = Interval.of(self.starts_at, self.ends_at)
        if interval.duration.days >= MAX_QUERY_DAYS:
            raise InvalidCommandError(
                f"Ask for at most {MAX_QUERY_DAYS} days at once.",
                code=BookingErrorCode.PERIOD_TOO_LONG,
            )
        return interval


class PageQuery(BaseModel):
    """Which part of a list to return. The order is fixed: a page does not repeat another's."""

    limit: int = Field(100, ge=1, le=500)
    offset: int = Field(0, ge=0, le=10_000_000)


def answer(facts: BookingData, viewer: Actor, response: HttpResponse) -> BookingOut:
    """Return one booking, its version in the ETag."""
    response["ETag"] = entity_tag(facts.version)
    return BookingOut.of(facts, viewer)
