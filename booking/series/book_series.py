"""Command: book a series, that is one room on every date of an RRULE."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from booking.domain.changes import Details
from booking.domain.titles import clean_title
from booking.models import SkippedDate
from booking.series.domain.occurrences import Expansion
from booking.series.domain.parse_rule import parse_rule
from booking.series.domain.series_data import Pattern, SeriesFacts, SeriesReport
from booking.series.evaluate_dates import (
    RequestedDate,
    SeriesJudge,
    query_for,
    refuse_clashes,
    requested_dates,
)
from booking.series.series_dates import (
    refuse_foreign_dates,
    series_row,
    skipped_rows,
)
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.idempotency import ResultCodec, idempotent
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.unit_of_work import preview_in_rooms, run_in_rooms
from booking.transaction.write_changes import Change
from identity.domain.error_codes import IdentityErrorCode
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import InvalidCommandError, PermissionDeniedError
from rooms.domain.effective_policy import RoomPolicy

REPORT: ResultCodec[SeriesReport] = ResultCodec(
    write=SeriesReport.as_json, read=SeriesReport.from_json
)
MAX_OTHER_ROOMS = 20  # each one is locked with the room of the series


class OnClash(StrEnum):
    """What the command does if some dates cannot be booked."""

    REFUSE = "refuse"  # all or nothing
    BOOK_THE_REST = "book_the_rest"


@dataclass(frozen=True, slots=True)
class BookSeries:
    """The requested series.

    `starts_local` is the first local time in the room's zone, naive; `rule` is an RRULE value.
    `elsewhere` names another room for single dates; its keys are recurrence ids.
    """

    room: UUID
    starts_local: datetime
    minutes: int
    rule: str
    title: str = ""
    private: bool = False
    attendees: int | None = None
    on_clash: OnClash = OnClash.REFUSE
    elsewhere: Mapping[str, UUID] = field(default_factory=dict)


def book_series(
    *,
    actor: Actor,
    wanted: BookSeries,
    idempotency_key: str | None = None,
    clock: Clock = DATABASE_CLOCK,
) -> SeriesReport:
    """Book every date of the rule, or every date that can be booked. Return a report on each date.

    All dates are checked, against stored bookings and against each other, before any is stored.
    Raises SeriesClashesError if a date is refused and `on_clash` is REFUSE, or if no date can be
    booked; InvalidCommandError if the rule cannot be used (see
    `booking.series.domain.occurrences`); and the errors of `book_rooms`.
    """
    series = _Booking(actor, wanted, clock)
    command = idempotent(
        series.book, user_id=series.person, key=idempotency_key, request=wanted, form=REPORT
    )
    return run_in_rooms(command, rooms=series.rooms, query=series.query, clock=clock)


def preview_series(
    *, actor: Actor, wanted: BookSeries, clock: Clock = DATABASE_CLOCK
) -> SeriesReport:
    """Return what `book_series` would book and refuse, and store nothing.

    Raises the errors of `book_series` except SeriesClashesError.
    """
    series = _Booking(actor, wanted, clock)
    return preview_in_rooms(series.evaluate, rooms=series.rooms, query=series.query, clock=clock)


class _Booking:
    """One requested series: the snapshot it reads, its evaluation, and the changes to store."""

    def __init__(self, actor: Actor, wanted: BookSeries, clock: Clock) -> None:
        if actor.user_id is None:
            raise PermissionDeniedError("Only a person can book. Sign in.")
        if len(set(wanted.elsewhere.values())) > MAX_OTHER_ROOMS:
            raise InvalidCommandError(
                f"Too many other rooms: the maximum is {MAX_OTHER_ROOMS}. Name fewer.",
                code=IdentityErrorCode.WRONG_NUMBER_OF_ROOMS,
            )
        self.person = actor.user_id
        self.rooms = sorted({wanted.room, *wanted.elsewhere.values()})
        self._actor, self._wanted, self._clock = actor, wanted, clock
        self._details = Details.of(
            actor, clean_title(wanted.title), private=wanted.private, attendees=wanted.attendees
        )

    def query(self, rooms: Mapping[UUID, RoomPolicy]) -> SnapshotQuery:
        """Return the query for the snapshot: all dates, and the quotas of each date in its room."""
        return query_for(self._requested(rooms, self._clock.now()), self.person)

    def evaluate(self, tx: CommandContext) -> SeriesReport:
        """Return a report of the dates that can be booked and those that cannot."""
        room = tx.rooms[self._wanted.room]
        series = SeriesFacts(uuid4(), room.uuid, self._pattern(room), self._details)
        judge = SeriesJudge(tx, self._actor, series)
        booked, refused = judge.dates(self._requested(tx.rooms, tx.now))
        beyond = tuple(at.isoformat() for at in self._dates(room, tx.now).truncated)
        return SeriesReport(series.id, tuple(booked), tuple(refused), beyond=beyond)

    def book(self, tx: CommandContext) -> SeriesReport:
        """Evaluate the dates and add their bookings to the transaction."""
        report = self.evaluate(tx)
        if self._wanted.on_clash is OnClash.REFUSE or not report.booked:
            refuse_clashes(report.refused, len(report.booked) + len(report.refused))
        room = tx.rooms[self._wanted.room]
        tx.changes += [Change(None, b, self._actor, "book_series") for b in report.booked]
        series = SeriesFacts(report.series_id, room.uuid, self._pattern(room), self._details)
        skipped = skipped_rows(series.id, report.refused)
        tx.also.append(series_row(series, room, now=tx.now).save)
        tx.also.append(lambda: SkippedDate.objects.bulk_create(skipped))
        return report

    def _requested(self, rooms: Mapping[UUID, RoomPolicy], now: datetime) -> list[RequestedDate]:
        room = rooms[self._wanted.room]
        dates = self._dates(room, now).occurrences
        elsewhere = {name: rooms[uuid] for name, uuid in self._wanted.elsewhere.items()}
        refuse_foreign_dates(elsewhere, dates)
        return requested_dates(dates, room, elsewhere)

    def _dates(self, room: RoomPolicy, now: datetime) -> Expansion:
        return self._pattern(room).dates(room, today=now.astimezone(room.zone).date())

    def _pattern(self, room: RoomPolicy) -> Pattern:
        start = self._wanted.starts_local
        horizon = start.date() + timedelta(days=room.policy.advance_days)
        rule = parse_rule(self._wanted.rule, start=start, zone=room.zone, horizon=horizon)
        return Pattern(start, timedelta(minutes=self._wanted.minutes), rule, room.zone)
