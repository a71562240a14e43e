"""Command: cancel the dates of a series that have not begun. `cancel_booking` cancels one date."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from booking.domain.changes import without_slot
from booking.domain.states import BookingState
from booking.series.domain.occurrences import split_at
from booking.series.domain.series_data import SeriesFacts, SeriesReport
from booking.series.repository import save_series
from booking.series.series_dates import (
    require_series_owner,
    rooms_of_series,
    series_ahead,
    series_of,
)
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.if_match import refuse_stale_series
from booking.transaction.unit_of_work import run_in_rooms
from booking.transaction.write_changes import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import InvalidCommandError


def cancel_series(
    *,
    actor: Actor,
    series_id: UUID,
    from_date: datetime | None = None,
    reason: str = "",
    expected_version: int | None = None,
    clock: Clock = DATABASE_CLOCK,
) -> SeriesReport:
    """Cancel all dates that have not begun, or those from `from_date` on.

    Past and running dates stay as history. A repeated command changes nothing.
    Raises NotFoundError if there is no such series; PermissionDeniedError if the actor may not
    change the series; StaleVersionError if the series has another version than `expected_version`.
    """

    def run(tx: CommandContext) -> SeriesReport:
        series = series_of(tx, series_id)
        require_series_owner(actor, series, tx)
        refuse_stale_series(series, expected_version)
        changes = [
            Change.of(b, without_slot(b, BookingState.CANCELLED), actor, "cancel_series", reason)
            for b in series_ahead(tx, series, from_date)
            if b.takes_slot or b.state is BookingState.PENDING
        ]
        if changes:
            tx.changes += changes
            save_series(tx, _ended(series, from_date))
        return SeriesReport(series.id, cancelled=tuple(change.after for change in changes))

    return run_in_rooms(run, rooms=lambda: sorted(rooms_of_series(series_id)), clock=clock)


def _ended(series: SeriesFacts, cut: datetime | None) -> SeriesFacts:
    """Return the series with a rule that ends before `cut`, if the series has earlier dates."""
    ended = replace(series, version=series.version + 1)
    if cut is None:
        return ended
    pattern = series.pattern
    try:
        split = split_at(pattern.rule, start=pattern.start, cut=cut, zone=pattern.zone)
    except InvalidCommandError:  # all of it lies after the cut, or nothing does
        return ended
    return replace(ended, pattern=replace(pattern, rule=split.before))
