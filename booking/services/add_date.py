"""Command: book a date of a series after all that was skipped, refused or deleted."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from booking.clock import DATABASE_CLOCK
from booking.domain.facts import BookingFacts
from booking.domain.recurrence import Occurrence
from booking.domain.series import SeriesFacts
from booking.models import Booking, SkippedDate
from booking.services.decision import RoomTransaction
from booking.services.looking import Looking
from booking.services.room_transaction import in_rooms
from booking.services.series_dates import (
    get_series,
    refuse_foreign_dates,
    require_series_owner,
)
from booking.services.series_judging import SeriesJudge, Wish
from booking.services.writing import Change
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
) -> BookingFacts:
    """Book this date of the series, in its own room or another.

    Raises: InvalidCommandError `not_a_date_of_the_series`; ConflictError `date_is_booked`; what
    `judge` raises; NotFoundError; PermissionDeniedError.
    """

    def run(tx: RoomTransaction) -> BookingFacts:
        series = get_series(series_id)
        require_series_owner(actor, series, tx)
        stored = _stored(series_id, recurrence_id)
        if stored is not None and stored.takes_slot:
            raise ConflictError("This date is booked.", code="date_is_booked")
        wish = Wish(_occurrence(series, recurrence_id), tx.rooms[room or series.room])
        facts = SeriesJudge(tx, actor, series).date(wish)
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

    def looking(_rooms: object) -> Looking:
        series = get_series(series_id)
        occurrence = _occurrence(series, recurrence_id)
        return Looking(windows=(occurrence.interval,), person=series.details.organizer_id)

    stored, own = _stored(series_id, recurrence_id), get_series(series_id).room
    rooms = {own, *([room] if room else []), *([stored.room] if stored else [])}
    return in_rooms(run, rooms=sorted(rooms), looking=looking, clock=clock)


def _occurrence(series: SeriesFacts, name: datetime) -> Occurrence:
    dates = series.pattern.dates_until(name.date() + timedelta(days=1))
    refuse_foreign_dates([name.isoformat()], dates)
    return next(date for date in dates if date.recurrence_id == name)


def _stored(series_id: UUID, name: datetime) -> BookingFacts | None:
    found = Booking.objects.select_related("room").filter(
        series_id=series_id, recurrence_id=name.isoformat()
    )
    booking = found.first()
    return booking.facts() if booking else None
