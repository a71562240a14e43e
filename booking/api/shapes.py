"""Schemas that several REST modules share: bookings, intervals, periods and pages."""

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

MAX_QUERY_DAYS = 62  # two months
MAX_TEXT = 1_000  # characters; each command has a smaller limit, with a sentence of its own


class IntervalOut(Answer):
    """A half-open interval: `starts_at` is included, `ends_at` is not."""

    starts_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, interval: Interval) -> "IntervalOut":
        """Return the interval as the API shows it."""
        return cls(starts_at=interval.start, ends_at=interval.end)


class BookingOut(Answer):
    """A booking with only what the caller may read.

    Of a private booking other people see room, time and state; its title is `Busy`.
    """

    id: UUID
    room: UUID
    starts_at: datetime
    ends_at: datetime
    local_start: str = Field(description="Start in the local time of the room, without an offset.")
    local_end: str = Field(description="End in the local time of the room, without an offset.")
    title: str
    organizer: str
    private: bool
    state: BookingState
    attendees: int | None
    check_in_until: datetime | None = Field(
        description="The booking is released if it is not checked in by this instant."
    )
    held_until: datetime | None = Field(
        description="The hold expires at this instant; only for holds."
    )
    version: int = Field(description="Rises with every change. It is also the ETag.")
    group: UUID | None = Field(description="The same id in all parts of a multi-room booking.")
    series: UUID | None
    recurrence_id: str | None = Field(description="The date in the series, also if it was moved.")
    flags: list[str] = Field(description="Codes of overridden rules and of shifted times.")

    @classmethod
    def of(cls, facts: BookingData, viewer: Actor) -> "BookingOut":
        """Return the booking with only what `viewer` may read."""
        return cls.model_construct(
            **as_members(facts, viewer)
        )  # not validated: the values are our own


def as_members(facts: BookingData, viewer: Actor) -> dict[str, Any]:
    """Return the members of a BookingOut as plain values: faster if there are thousands."""
    members = dict(zip(_MEMBERS, _values(as_read_by(facts, viewer)), strict=True))
    members["flags"] = list(members["flags"])
    return members


# Members of BookingOut and their attributes of BookingData, if the two names differ.
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
    """One page of a list of bookings. `count` is the number of bookings on all pages."""

    items: list[BookingOut]
    count: int


class PeriodQuery(BaseModel):
    """The period to read. The maximum is 62 days."""

    starts_at: Instant
    ends_at: Instant

    def interval(self) -> Interval:
        """Return the period.

        Raises InvalidCommandError `end_not_after_start` or `period_too_long`.
        """
        interval = Interval.of(self.starts_at, self.ends_at)
        if interval.duration.days >= MAX_QUERY_DAYS:
            raise InvalidCommandError(
                f"The period is too long. The maximum is {MAX_QUERY_DAYS} days.",
                code=BookingErrorCode.PERIOD_TOO_LONG,
            )
        return interval


class PageQuery(BaseModel):
    """The page of a list to return. The order of a list is fixed, so pages do not overlap."""

    limit: int = Field(100, ge=1, le=500)
    offset: int = Field(0, ge=0, le=10_000_000)


def answer(facts: BookingData, viewer: Actor, response: HttpResponse) -> BookingOut:
    """Return the answer with one booking, and set its version as the ETag."""
    response["ETag"] = entity_tag(facts.version)
    return BookingOut.of(facts, viewer)
