"""Schemas of the REST answers about series."""

from datetime import datetime
from uuid import UUID

from booking.api.shapes import BookingOut
from booking.models import Booking, Series
from booking.series.domain.series_data import RefusedDate, SeriesReport
from meeting_rooms.http.schema_types import Answer
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import NotFoundError

MAX_DATES = 2_000  # of each kind in one answer


class RefusedDateOut(Answer):
    """A date that is not booked, and the reason."""

    recurrence_id: str
    starts_at: datetime
    ends_at: datetime
    code: str
    detail: str

    @classmethod
    def of(cls, refused: RefusedDate) -> "RefusedDateOut":
        """Return the date as the API shows it."""
        return cls(
            recurrence_id=refused.recurrence_id,
            starts_at=refused.interval.start,
            ends_at=refused.interval.end,
            code=refused.code,
            detail=refused.detail,
        )


class ReportOut(Answer):
    """The result for each date of a series.

    `booked` dates are new or moved. `refused` dates could not be booked. `cancelled` dates were
    cancelled. `kept` dates did not change, because they are past, running or were moved by hand.
    `beyond` dates are after the advance window of the room and were not booked.
    """

    series: UUID
    booked: list[BookingOut]
    refused: list[RefusedDateOut]
    cancelled: list[BookingOut]
    kept: list[BookingOut]
    beyond: list[str]

    @classmethod
    def of(cls, report: SeriesReport, viewer: Actor) -> "ReportOut":
        """Return the report with only what the viewer may read."""
        return cls(
            series=report.series_id,
            booked=[BookingOut.of(facts, viewer) for facts in report.booked],
            refused=[RefusedDateOut.of(date) for date in report.refused],
            cancelled=[BookingOut.of(facts, viewer) for facts in report.cancelled],
            kept=[BookingOut.of(facts, viewer) for facts in report.kept],
            beyond=list(report.beyond),
        )


class SkippedDateOut(Answer):
    """A date of the RRULE that has no booking, and the reason."""

    recurrence_id: str
    code: str
    reason: str


class SeriesOut(Answer):
    """A series: its RRULE, its bookings in any state, and the dates without a booking.

    `follows` is the series that this one was split from.
    """

    id: UUID
    room: UUID
    rule: str
    starts_local: str
    minutes: int
    timezone: str
    title: str
    organizer: str
    private: bool
    attendees: int | None
    version: int
    follows: UUID | None
    bookings: list[BookingOut]
    skipped: list[SkippedDateOut]


def series_for(series_id: UUID, viewer: Actor) -> SeriesOut:
    """Return the series with the first MAX_DATES bookings and the first MAX_DATES skipped dates.

    Raises NotFoundError if there is no such series, or if it is private and the viewer may not read
    it: the RRULE of a private series could reveal its organizer.
    """
    series = Series.objects.select_related("room").filter(pk=series_id).first()
    if series is None or not _may_read(series, viewer):
        raise NotFoundError(f"There is no series {series_id}.")
    bookings = Booking.objects.select_related("room").filter(series=series).order_by("during", "pk")
    return SeriesOut(
        id=series.pk,
        room=series.room.uuid,
        rule=series.rule,
        starts_local=series.starts_local,
        minutes=series.minutes,
        timezone=series.timezone,
        title=series.title,
        organizer=series.organizer_name,
        private=series.is_private,
        attendees=series.attendees,
        version=series.version,
        follows=series.follows_id,
        bookings=[BookingOut.of(booking.as_data(), viewer) for booking in bookings[:MAX_DATES]],
        skipped=[SkippedDateOut.model_validate(one) for one in series.skipped.all()[:MAX_DATES]],
    )


def _may_read(series: Series, viewer: Actor) -> bool:
    is_own = viewer.user_id is not None and viewer.user_id == series.organizer_id
    return not series.is_private or viewer.is_admin or is_own
