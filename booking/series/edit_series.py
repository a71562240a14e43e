"""Command: change the dates of a series that have not begun."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

from booking.domain.booking_data import BookingData
from booking.domain.changes import DetailsEdit
from booking.domain.error_codes import BookingErrorCode
from booking.domain.policy_checks import refuse_more_than_seats
from booking.models import SkippedDate
from booking.series.book_series import OnClash
from booking.series.domain.occurrences import Occurrence, split_at
from booking.series.domain.parse_rule import parse_rule
from booking.series.domain.reschedule import reschedule
from booking.series.domain.rule import Rule
from booking.series.domain.series_data import Pattern, SeriesFacts, SeriesReport
from booking.series.evaluate_dates import RequestedDate, SeriesJudge, query_for, refuse_clashes
from booking.series.repository import Plan, save_series, store_plan
from booking.series.series_dates import (
    require_series_owner,
    rooms_of_series,
    series_ahead,
    series_of,
)
from booking.transaction.context import CommandContext, is_manager
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.if_match import refuse_stale_series
from booking.transaction.unit_of_work import read_second_snapshot, run_in_rooms
from booking.transaction.write_changes import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import ConflictError


@dataclass(frozen=True, slots=True)
class SeriesEdit:
    """The requested changes of a series. A field that is None does not change.

    `starts` is the new time of day of every date, local in the room. `rule` is an RRULE: given
    alone, the rule counts from the first date of the series, otherwise from the first date that
    changes. `from_date` is the first date of "this and following", named by its local time in the
    rule; None changes every date to come.
    """

    from_date: datetime | None = None
    title: str | None = None
    private: bool | None = None
    attendees: int | None = None
    starts: time | None = None
    minutes: int | None = None
    rule: str | None = None
    room: UUID | None = None
    moves_exceptions: bool = False
    on_clash: OnClash = OnClash.REFUSE

    @property
    def details(self) -> DetailsEdit:
        """Return the changes of title, privacy and attendees."""
        return DetailsEdit(self.title, self.private, self.attendees)

    @property
    def is_about_rule_only(self) -> bool:
        """Return whether only the rule changes; time of day, length and room stay."""
        others = (self.starts, self.minutes, self.room, self.from_date)
        return self.rule is not None and all(value is None for value in others)

    @property
    def is_about_time(self) -> bool:
        """Return whether dates may move. If not, no policy rule is checked."""
        return any(v is not None for v in (self.starts, self.minutes, self.rule, self.room))


def edit_series(
    *,
    actor: Actor,
    series_id: UUID,
    edit: SeriesEdit,
    expected_version: int | None = None,
    clock: Clock = DATABASE_CLOCK,
) -> SeriesReport:
    """Change all dates to come, or one date and the dates after it. Return a report on each date.

    Past and running dates stay. A change of title, privacy or attendees checks no policy rule.
    Neither such a change nor a new RRULE alone splits the series; another time or room splits the
    series at the first date that changes.
    Deleted dates stay deleted. Dates moved by hand stay unless `moves_exceptions` is set. If a
    moved date clashes, the command is refused; with `BOOK_THE_REST` that date stays as it was.
    Raises SeriesClashesError if a date clashes; ConflictError `nothing_to_come` if no date is left
    to change; StaleVersionError if the series has another version than `expected_version`;
    NotFoundError if there is no such series or room; PermissionDeniedError if the actor may not
    change the series; InvalidCommandError if the rule cannot be used.
    """

    def run(tx: CommandContext) -> SeriesReport:
        series = series_of(tx, series_id)
        require_series_owner(actor, series, tx)
        refuse_stale_series(series, expected_version)
        if edit.is_about_time:
            return _move(tx, actor, series, _plan(tx, series, edit), edit)
        return _edit_details(tx, actor, series, edit)

    def rooms() -> list[UUID]:
        wanted = {edit.room} if edit.room else set()
        return sorted(rooms_of_series(series_id) | wanted)

    return run_in_rooms(run, rooms=rooms, clock=clock)


def _edit_details(
    tx: CommandContext, actor: Actor, series: SeriesFacts, edit: SeriesEdit
) -> SeriesReport:
    stored, _ = _ahead(tx, series, edit.from_date)
    last = None
    for before in stored:
        after = edit.details.of(before)
        room = tx.rooms[before.room]
        refuse_more_than_seats(before, after, room, is_manager=is_manager(actor, room))
        if before.is_live and after != before:
            tx.changes.append(Change.of(before, after, actor, "edit_series"))
            last = after
    details = edit.details.of(series.details)
    if edit.from_date is not None and last is not None:
        # The series takes title and privacy of its last date, so it never shows a title that is
        # still private on one of its dates.
        details = replace(details, title=last.title, private=last.private)
    save_series(tx, replace(series, details=details, version=series.version + 1))
    return SeriesReport(series.id, tuple(change.after for change in tx.changes))


def _plan(tx: CommandContext, series: SeriesFacts, edit: SeriesEdit) -> Plan:
    room = tx.rooms[edit.room or series.room]
    today = tx.now.astimezone(series.pattern.zone).date()
    last = today + timedelta(days=room.policy.advance_days)
    dates = series.pattern.dates_until(last)
    cut = _first_ahead(dates, edit.from_date, now=tx.now)
    before, pattern = _cut_pattern(
        series.pattern, edit, cut, is_first=cut == dates[0].recurrence_id
    )
    new = SeriesFacts(
        id=series.id if before is None else uuid4(),
        room=room.uuid,
        pattern=pattern,
        details=edit.details.of(series.details),
        version=series.version + 1 if before is None else 1,
    )
    ahead = [d for d in pattern.dates(room, today=today).occurrences if d.interval.start > tx.now]
    skipped = SkippedDate.objects.filter(series_id=series.id, recurrence_id__gte=cut.isoformat())
    names = skipped.values_list("recurrence_id", flat=True)
    stored, resting = _ahead(tx, series, cut)
    plan = reschedule(
        ahead,
        stored,
        [*names, *(booking.recurrence_id or "" for booking in resting)],
        room=edit.room,
        zone=pattern.zone,
        moves_exceptions=edit.moves_exceptions,
    )
    return Plan(new, before, plan, edit.details)


def _ahead(
    tx: CommandContext, series: SeriesFacts, since: datetime | None
) -> tuple[list[BookingData], list[BookingData]]:
    """Return the dates to come in active rooms, and the dates in retired rooms, which stay."""
    stored = series_ahead(tx, series, since)
    known = [booking for booking in stored if booking.room in tx.rooms]
    return known, [booking for booking in stored if booking.room not in tx.rooms]


def _first_ahead(dates: Sequence[Occurrence], since: datetime | None, *, now: datetime) -> datetime:
    """Return the first date of the rule that has not begun and is not before `since`.

    Raises ConflictError `nothing_to_come` if there is none.
    """
    for occurrence in dates:
        is_ahead = occurrence.interval.start > now
        if is_ahead and (since is None or occurrence.recurrence_id >= since):
            return occurrence.recurrence_id
    raise ConflictError("This series has no dates to come.", code=BookingErrorCode.NOTHING_TO_COME)


def _cut_pattern(
    pattern: Pattern, edit: SeriesEdit, cut: datetime, *, is_first: bool
) -> tuple[Rule | None, Pattern]:
    """Return the rule for the dates before `cut` and the pattern of the other dates.

    The rule is None if the series is not split.
    """
    if edit.is_about_rule_only:
        rule = parse_rule(edit.rule or "", start=pattern.start, zone=pattern.zone, horizon=date.max)
        return None, replace(pattern, rule=rule)
    before, rule = None, pattern.rule
    if not is_first:
        split = split_at(pattern.rule, start=pattern.start, cut=cut, zone=pattern.zone)
        before, rule = split.before, split.after
    start = datetime.combine(cut.date(), edit.starts or cut.time())
    if edit.rule is not None:
        rule = parse_rule(edit.rule, start=start, zone=pattern.zone, horizon=date.max)
    length = pattern.length if edit.minutes is None else timedelta(minutes=edit.minutes)
    return before, Pattern(start, length, rule, pattern.zone)


def _room(plan: Plan, edit: SeriesEdit, stored: BookingData | None) -> UUID:
    """Return the room for a date: its own room, unless the edit names another room."""
    return plan.series.room if edit.room or stored is None else stored.room


def _move(
    tx: CommandContext, actor: Actor, old: SeriesFacts, plan: Plan, edit: SeriesEdit
) -> SeriesReport:
    dates = plan.dates
    requested = [
        RequestedDate(occurrence, tx.rooms[_room(plan, edit, stored)], stored)
        for occurrence, stored in dates.moving
    ]
    own = [stored for _, stored in dates.moving if stored] + dates.dropped
    giving_way = frozenset(booking.id for booking in own)
    query = query_for(requested, old.details.organizer_id, besides=giving_way)
    read_second_snapshot(tx, query)
    judge = SeriesJudge(tx, actor, plan.series, plan.details)
    if edit.on_clash is OnClash.REFUSE:
        booked, refused = judge.dates(requested, giving_way=giving_way)
        refuse_clashes(refused, len(requested))
    else:
        booked, refused = judge.all_that_can_move(requested, giving_way)
    return store_plan(tx, actor, old, plan, booked, refused)
