"""REST: series, which are recurring bookings."""

from datetime import time
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Status
from pydantic import BeforeValidator, StrictBool, StrictInt, WithJsonSchema

from booking.api.booking_actions import MAX_REASON_LENGTH
from booking.api.bookings import IdempotencyKey, IfMatch
from booking.api.series_shapes import ReportOut, SeriesOut, series_for
from booking.api.shapes import MAX_TEXT, BookingOut, answer
from booking.series.add_date import add_date
from booking.series.book_series import (
    BookSeries,
    OnClash,
    book_series,
    preview_series,
)
from booking.series.cancel_series import cancel_series
from booking.series.edit_series import SeriesEdit, edit_series
from identity.api_auth import actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Body, Count, WallTime, entity_tag, version_of

router = Router(tags=["series"])
MAX_MINUTES = 7 * 24 * 60  # of one date
MAX_RULE_LENGTH = 500  # characters
MAX_ELSEWHERE = 366  # dates in another room: each day of a year
Minutes = Annotated[StrictInt, Field(ge=1, le=MAX_MINUTES)]
RuleText = Annotated[str, Field(min_length=1, max_length=MAX_RULE_LENGTH)]


def _time_of_day(value: object) -> time:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or len(value) != len("09:00"):
        raise ValueError("Give the time of day as HH:MM, for example 09:00.")
    return time.fromisoformat(value)


TimeOfDay = Annotated[
    time,
    BeforeValidator(_time_of_day),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
]


class ElsewhereIn(Body):
    """One date of the series that takes place in another room."""

    date: WallTime
    room: UUID


class SeriesIn(Body):
    """A new series.

    `starts_local` is the first start in the local time of the room, `minutes` the length of each
    date, and `rule` an RRULE of RFC 5545. `elsewhere` books single dates in other rooms.
    """

    room: UUID
    starts_local: WallTime
    minutes: Minutes
    rule: RuleText = Field(examples=["FREQ=WEEKLY;BYDAY=MO;COUNT=10"])
    title: str = Field("", max_length=MAX_TEXT)
    private: StrictBool = False
    attendees: Count | None = None
    on_clash: OnClash = OnClash.REFUSE
    elsewhere: list[ElsewhereIn] = Field([], max_length=MAX_ELSEWHERE)

    def wanted(self) -> BookSeries:
        """Return the input of the command."""
        return BookSeries(
            room=self.room,
            starts_local=self.starts_local,
            minutes=self.minutes,
            rule=self.rule,
            title=self.title,
            private=self.private,
            attendees=self.attendees,
            on_clash=self.on_clash,
            elsewhere={one.date.isoformat(): one.room for one in self.elsewhere},
        )


class SeriesPatch(Body):
    """The new values. A member that is absent or null does not change.

    With `from_date` only this date and the later ones change. `moves_exceptions` also moves dates
    that were moved by hand.
    """

    from_date: WallTime | None = None
    title: str | None = Field(None, max_length=MAX_TEXT)
    private: StrictBool | None = None
    attendees: Count | None = None
    starts: TimeOfDay | None = None
    minutes: Minutes | None = None
    rule: RuleText | None = None
    room: UUID | None = None
    moves_exceptions: StrictBool = False
    on_clash: OnClash = OnClash.REFUSE


class CancelSeriesIn(Body):
    """The first date to cancel. Without `from_date` all future dates are cancelled."""

    from_date: WallTime | None = None
    reason: str = Field("", max_length=MAX_REASON_LENGTH)


class DateIn(Body):
    """A date of the RRULE that is not booked, and the room to book. Default: the series' room."""

    date: WallTime
    room: UUID | None = None


@router.post(
    "/series",
    response={201: ReportOut, 404: Problem, 409: Problem},
    summary="Book a series",
    operation_id="book_series",
)
def create_series(
    request: HttpRequest, body: SeriesIn, idempotency_key: IdempotencyKey = None
) -> Status[ReportOut]:
    """Book all dates of the RRULE. With `on_clash` = `book_the_rest`, book the dates that are free.

    All dates are checked before the first is stored. The answer reports on each date.
    """
    actor = actor_from(request)
    report = book_series(actor=actor, wanted=body.wanted(), idempotency_key=idempotency_key)
    return Status(201, ReportOut.of(report, actor))


@router.post(
    "/series/preview",
    response={200: ReportOut, 404: Problem, 409: Problem},
    summary="Preview a series",
    operation_id="preview_series",
)
def preview(request: HttpRequest, body: SeriesIn) -> ReportOut:
    """Return which dates would be booked and which would be refused. Nothing is stored."""
    actor = actor_from(request)
    return ReportOut.of(preview_series(actor=actor, wanted=body.wanted()), actor)


@router.get("/series/{series_id}", response={200: SeriesOut, 404: Problem}, summary="Show a series")
def show_series(request: HttpRequest, response: HttpResponse, series_id: UUID) -> SeriesOut:
    """Return the series with its dates. A private series of another person is 404 `not_found`."""
    shown = series_for(series_id, actor_from(request))
    response["ETag"] = entity_tag(shown.version)
    return shown


@router.patch(
    "/series/{series_id}",
    response={200: ReportOut, 404: Problem, 409: Problem, 412: Problem},
    summary="Change a series",
)
def change_series(
    request: HttpRequest, series_id: UUID, body: SeriesPatch, if_match: IfMatch = None
) -> ReportOut:
    """Change all future dates, or one date and the later ones. Past and running dates stay."""
    actor = actor_from(request)
    edit = SeriesEdit(**{name: getattr(body, name) for name in SeriesPatch.model_fields})
    report = edit_series(
        actor=actor, series_id=series_id, edit=edit, expected_version=version_of(if_match)
    )
    return ReportOut.of(report, actor)


@router.post(
    "/series/{series_id}/cancel",
    response={200: ReportOut, 404: Problem, 412: Problem},
    summary="Cancel a series, or this and following dates",
    operation_id="cancel_series",
)
def end_series(
    request: HttpRequest,
    series_id: UUID,
    body: CancelSeriesIn | None = None,
    if_match: IfMatch = None,
) -> ReportOut:
    """Cancel the dates that have not begun. Past and running dates stay.

    Repeating the request changes nothing more.
    """
    actor, wanted = actor_from(request), body or CancelSeriesIn()
    report = cancel_series(
        actor=actor,
        series_id=series_id,
        from_date=wanted.from_date,
        reason=wanted.reason,
        expected_version=version_of(if_match),
    )
    return ReportOut.of(report, actor)


@router.post(
    "/series/{series_id}/dates",
    response={201: BookingOut, 404: Problem, 409: Problem},
    summary="Book a skipped date of a series",
    operation_id="add_date",
)
def book_date(
    request: HttpRequest, response: HttpResponse, series_id: UUID, body: DateIn
) -> Status[BookingOut]:
    """Book a date of the RRULE that was refused or deleted, in the series' room or another one."""
    actor = actor_from(request)
    facts = add_date(actor=actor, series_id=series_id, recurrence_id=body.date, room=body.room)
    return Status(201, answer(facts, actor, response))
