"""What the REST answers about series are made of."""

from datetime import datetime
from uuid import UUID

from booking.api.shapes import BookingOut
from booking.models import Booking, Series
from booking.series.domain.series_data import RefusedDate, SeriesReport
from meeting_rooms.http.schema_types import Answer
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import NotFoundError

MAX_DATES = 2_000


class RefusedDateOut(Answer):
    """A date that is not booked, and why."""

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
    """What was done about each date.

    `booked` were made or moved, `cancelled` given back, `kept` left alone because they are past,
    running or moved by hand; `beyond` lie past the advance window.
    """

    series: UUID
    booked: list[BookingOut]
    refused: list[RefusedDateOut]
    cancelled: list[BookingOut]
    kept: list[BookingOut]
    beyond: list[str]

    @classmethod
    def of(cls, report: SeriesReport, viewer: Actor) -> "ReportOut":
        """Return the report as the viewer may read it."""
        return cls(
            series=report.series_id,
            booked=[BookingOut.of(facts, viewer) for facts in report.booked],
            refused=[RefusedDateOut.of(date) for date in report.refused],
            cancelled=[BookingOut.of(facts, viewer) for facts in report.cancelled],
            kept=[BookingOut.of(facts, viewer) for facts in report.kept],
            beyond=list(report.beyond),
        )


class SkippedDateOut(Answer):
    """A date of the rule that has no booking, and why."""

    recurrence_id: str
    code: str
    reason: str


class SeriesOut(Answer):
    """A series: its rule, its bookings in whatever state, and the dates that were left out."""

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
    """Return the series as the viewer may read it; at most 2,000 dates of each kind.

    Raises NotFoundError, also for a stranger's private one: its rule would tell whose it is.
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
