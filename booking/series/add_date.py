"""Command: book a date of a series that was skipped, refused or deleted before."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.error_codes import BookingErrorCode
from booking.models import Booking, SkippedDate
from booking.series.domain.occurrences import Occurrence
from booking.series.domain.series_data import SeriesFacts
from booking.series.evaluate_dates import RequestedDate, SeriesJudge
from booking.series.series_dates import (
    get_series,
    refuse_foreign_dates,
    require_series_owner,
    series_of,
)
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.unit_of_work import run_in_rooms
from booking.transaction.write_changes import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError


def add_date(
    *,
    actor: Actor,
    series_id: UUID,
    recurrence_id: datetime,
    room: UUID | None = None,
    clock: Clock = DATABASE_CLOCK,
) -> BookingData:
    """Book this date of the series in `room`, by default the room of the series.

    Raises InvalidCommandError `not_a_date_of_the_series` if the rule has no such date;
    ConflictError `date_is_booked` if the date has a slot already; NotFoundError if there is no
    such series or room; PermissionDeniedError if the actor may not change the series; and the
    errors of `evaluate`.
    """

    def run(tx: CommandContext) -> BookingData:
        series = series_of(tx, series_id)
        require_series_owner(actor, series, tx)
        stored = _stored(series_id, recurrence_id)
        if stored is not None and stored.takes_slot:
            raise ConflictError(
                "This date of the series is already booked.", code=BookingErrorCode.DATE_IS_BOOKED
            )
        requested = RequestedDate(_occurrence(series, recurrence_id), tx.rooms[room or series.room])
        facts = SeriesJudge(tx, actor, series).date(requested)
        if stored is None:
            change = Change(None, facts, actor, "add_date")
        else:
            kept = replace(facts, id=stored.id, created_at=stored.created_at)
            change = Change.of(stored, kept, actor, "add_date")
        tx.changes.append(change)
        skipped = SkippedDate.objects.filter(
            series_id=series_id, recurrence_id=recurrence_id.isoformat()
        )
        tx.also.append(skipped.delete)
        return change.after

    def query(_rooms: object) -> SnapshotQuery:
        series = get_series(series_id)
        occurrence = _occurrence(series, recurrence_id)
        return SnapshotQuery(windows=(occurrence.interval,), person=series.details.organizer_id)

    def rooms() -> list[UUID]:
        stored, own = _stored(series_id, recurrence_id), get_series(series_id).room
        return sorted({own, *([room] if room else []), *([stored.room] if stored else [])})

    return run_in_rooms(run, rooms=rooms, query=query, clock=clock)


def _occurrence(series: SeriesFacts, name: datetime) -> Occurrence:
    dates = series.pattern.dates_until(name.date() + timedelta(days=1))
    refuse_foreign_dates([name.isoformat()], dates)
    return next(date for date in dates if date.recurrence_id == name)


def _stored(series_id: UUID, name: datetime) -> BookingData | None:
    found = Booking.objects.select_related("room").filter(
        series_id=series_id, recurrence_id=name.isoformat()
    )
    booking = found.first()
    return booking.as_data() if booking else None
