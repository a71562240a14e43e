"""Add the changes of a series and of its dates to the transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from booking.domain.booking_data import BookingData
from booking.domain.changes import DetailsEdit, without_slot
from booking.domain.states import BookingState
from booking.models import Series, SkippedDate
from booking.series.domain.reschedule import Reschedule
from booking.series.domain.rule import Rule
from booking.series.domain.series_data import RefusedDate, SeriesFacts, SeriesReport
from booking.series.series_dates import series_columns, series_row, skipped_rows
from booking.transaction.context import CommandContext
from booking.transaction.write_changes import Change
from meeting_rooms.kernel.actor import Actor
from rooms.domain.effective_policy import RoomPolicy

EDIT = "edit_series"


@dataclass(frozen=True, slots=True)
class Plan:
    """The new series from the first changed date on, and the change of each date."""

    series: SeriesFacts
    before: Rule | None  # the new rule of the old series; None if the series is not split
    dates: Reschedule
    details: DetailsEdit  # changes of title, privacy and attendees in each date


def store_plan(
    tx: CommandContext,
    actor: Actor,
    old: SeriesFacts,
    plan: Plan,
    booked: Sequence[BookingData],
    refused: Sequence[RefusedDate],
) -> SeriesReport:
    """Add every change of the plan to the transaction. Return a report on each date."""
    new, dates = plan.series, plan.dates
    stored = {occurrence.recurrence_id.isoformat(): b for occurrence, b in dates.moving}
    moves = [_moved(actor, stored[facts.recurrence_id or ""], facts) for facts in booked]
    refused_names = {date.recurrence_id for date in refused}
    staying = {occurrence.recurrence_id.isoformat(): b for occurrence, b in dates.carried}
    staying |= {name: b for name, b in stored.items() if b and name in refused_names}
    kept = [_renamed(booking, plan, name) for name, booking in staying.items()]
    drops = [
        Change.of(b, without_slot(b, BookingState.CANCELLED), actor, EDIT, "No longer in the rule")
        for b in dates.dropped
    ]
    renamed = [
        Change.of(before, after, actor, EDIT)
        for before, after in zip(staying.values(), kept, strict=True)
        if after != before
    ]
    tx.changes += [*moves, *renamed, *drops]
    _store_series(tx, old, plan)
    fresh = [date for date in refused if stored[date.recurrence_id] is None]
    _store_skipped(tx, old, plan, fresh)
    return SeriesReport(
        series_id=new.id,
        booked=tuple(change.after for change in moves),
        refused=tuple(refused),
        cancelled=tuple(change.after for change in drops),
        kept=tuple(kept),
    )


def save_series(tx: CommandContext, series: SeriesFacts) -> None:
    """Update the row of the series when the transaction is stored."""
    columns = series_columns(series)
    tx.also.append(lambda: Series.objects.filter(pk=series.id).update(**columns))
    tx.marked.add(series.room)


def _moved(actor: Actor, before: BookingData | None, facts: BookingData) -> Change:
    if before is None:
        return Change(None, facts, actor, EDIT)
    after = replace(
        facts,
        id=before.id,
        created_at=before.created_at,
        group_id=before.group_id,
        external_uid=before.external_uid,
    )
    return Change.of(before, after, actor, EDIT)


def _renamed(booking: BookingData, plan: Plan, name: str) -> BookingData:
    named = replace(booking, series_id=plan.series.id, recurrence_id=name)
    return plan.details.of(named) if booking.is_live else named


def _store_series(tx: CommandContext, old: SeriesFacts, plan: Plan) -> None:
    if plan.before is None:
        save_series(tx, plan.series)
        tx.also.append(_moving_room(plan.series, tx.rooms[plan.series.room]))
        return
    shorter = replace(old.pattern, rule=plan.before)
    save_series(tx, replace(old, pattern=shorter, version=old.version + 1))
    row = series_row(plan.series, tx.rooms[plan.series.room], now=tx.now)
    row.follows_id = old.id
    tx.also.append(row.save)


def _moving_room(series: SeriesFacts, room: RoomPolicy) -> partial[int]:
    return partial(Series.objects.filter(pk=series.id).update, room_id=room.id)


def _store_skipped(
    tx: CommandContext, old: SeriesFacts, plan: Plan, fresh: Iterable[RefusedDate]
) -> None:
    for name, old_name in plan.dates.skipped.items():
        known = SkippedDate.objects.filter(series_id=old.id, recurrence_id=old_name)
        tx.also.append(partial(known.update, series_id=plan.series.id, recurrence_id=name))
    rows = skipped_rows(plan.series.id, fresh)
    tx.also.append(lambda: SkippedDate.objects.bulk_create(rows))
