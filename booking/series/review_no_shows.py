"""Command: cancel the dates to come of a series after several no-shows in a row."""

from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.changes import without_slot
from booking.domain.states import BookingState
from booking.models import Booking, Series
from booking.series.domain.series_data import SeriesFacts
from booking.series.series_dates import rooms_of_series, series_ahead, series_of
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.unit_of_work import run_in_rooms
from booking.transaction.write_changes import Change
from meeting_rooms.kernel.actor import SYSTEM_ACTOR
from meeting_rooms.kernel.clock import Clock
from rooms.domain.effective_policy import RoomPolicy
from rooms.queries import closures_during

# Of a series: the largest `no_show_limit` (100), and twice as many dates that do not count.
MAX_PAST_DATES_READ = 300


class Review(StrEnum):
    """The result of one review of a series."""

    ATTENDED = "attended"
    WARNED = "warned"  # missed too often; its dates are cancelled after the notice
    WITHDRAWN = "withdrawn"


def review_no_shows(*, series_id: UUID, clock: Clock = DATABASE_CLOCK) -> Review:
    """Store a notice for a series with too many no-shows; cancel its dates once the notice is over.

    The policy of the room says how many no-shows in a row are too many (`no_show_limit`) and how
    long the notice is (`no_show_notice_days`). Cancelled dates do not count, nor do days on which
    the room was closed or had a holiday. A check-in during the notice ends the notice.
    Raises NotFoundError if there is no such series.
    """

    def run(tx: CommandContext) -> Review:
        series = series_of(tx, series_id)
        room = tx.rooms[series.room]
        stored = Series.objects.filter(pk=series_id)
        withdraw_at = stored.values_list("withdraw_at", flat=True).get()
        if not _is_missed(series, room, tx.now):
            if withdraw_at is not None:
                tx.also.append(lambda: stored.update(withdraw_at=None))
            return Review.ATTENDED
        if withdraw_at is None:
            notice = tx.now + timedelta(days=room.policy.no_show_notice_days)
            tx.also.append(lambda: stored.update(withdraw_at=notice))
            return Review.WARNED
        if tx.now < withdraw_at:
            return Review.WARNED
        reason = f"No check-in {room.policy.no_show_limit} times in a row"
        tx.changes += [
            Change.of(
                booking,
                without_slot(booking, BookingState.CANCELLED),
                SYSTEM_ACTOR,
                "withdraw_series",
                reason,
            )
            for booking in series_ahead(tx, series, None)
            if booking.takes_slot
        ]
        return Review.WITHDRAWN

    return run_in_rooms(run, rooms=lambda: sorted(rooms_of_series(series_id)), clock=clock)


def _is_missed(series: SeriesFacts, room: RoomPolicy, now: datetime) -> bool:
    limit = room.policy.no_show_limit
    if limit is None:
        return False
    past = Booking.objects.select_related("room").filter(
        series_id=series.id, during__startswith__lt=now
    )
    newest = (booking.as_data() for booking in past.order_by("-during", "pk")[:MAX_PAST_DATES_READ])
    counting = list(islice((b for b in newest if _counts(b, room)), limit))
    return len(counting) == limit and all(b.state is BookingState.RELEASED for b in counting)


def _counts(booking: BookingData, room: RoomPolicy) -> bool:
    if booking.state not in (BookingState.RELEASED, BookingState.CHECKED_IN):
        return False
    day = booking.interval.start.astimezone(room.zone).date()
    closed = closures_during([room.id], booking.interval.start, booking.interval.end)
    return day not in room.policy.exceptions and not closed.exists()
