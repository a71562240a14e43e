"""Command: book a room again and again by a rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from booking.clock import DATABASE_CLOCK
from booking.domain.drafts import Details
from booking.domain.recurrence_text import parse_rule
from booking.domain.series import Pattern, SeriesFacts, SeriesReport
from booking.domain.titles import clean_title
from booking.models import SkippedDate
from booking.services.decision import RoomTransaction
from booking.services.looking import Looking
from booking.services.receipts import Form, once
from booking.services.room_transaction import in_rooms
from booking.services.series_dates import (
    judge_dates,
    refuse_clashes,
    refuse_foreign_dates,
    series_row,
    skipped_rows,
    wishes_for,
)
from booking.services.writing import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import InvalidCommandError, PermissionDeniedError
from rooms.domain.rulebook import RoomRules

REPORT: Form[SeriesReport] = Form(write=SeriesReport.as_json, read=SeriesReport.from_json)
MAX_OTHER_ROOMS = 20


class OnClash(StrEnum):
    """What happens where some dates cannot be booked."""

    REFUSE = "refuse"  # all or nothing
    BOOK_THE_REST = "book_the_rest"


@dataclass(frozen=True, slots=True)
class BookSeries:
    """What is asked for.

    `starts_local` is the first wall time in the room's zone, naive; `rule` an RRULE value.
    `elsewhere` gives single dates, named by their wall time, another room.
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
    """Book every date of the rule, or those that can be, and report on each.

    All dates are checked, against what is booked and against each other, before any is stored.
    Raises: SeriesClashesError where a date is refused and all were asked for, or none can be
    booked; InvalidCommandError for the rule (see `booking.domain.recurrence`); and for the whole
    what `book_rooms` raises.
    """
    return _run(actor, wanted, clock, idempotency_key, is_stored=True)


def preview_series(
    *, actor: Actor, wanted: BookSeries, clock: Clock = DATABASE_CLOCK
) -> SeriesReport:
    """Return what `book_series` would book and refuse, and store nothing."""
    return _run(actor, wanted, clock, None, is_stored=False)


def _run(
    actor: Actor, wanted: BookSeries, clock: Clock, key: str | None, *, is_stored: bool
) -> SeriesReport:
    if actor.user_id is None:
        raise PermissionDeniedError("Only a person can book. Sign in.")
    details = Details.of(
        actor, clean_title(wanted.title), private=wanted.private, attendees=wanted.attendees
    )
    if len(set(wanted.elsewhere.values())) > MAX_OTHER_ROOMS:
        raise InvalidCommandError(
            f"Name at most {MAX_OTHER_ROOMS} other rooms.", code="wrong_number_of_rooms"
        )

    def run(tx: RoomTransaction) -> SeriesReport:
        room = tx.rooms[wanted.room]
        series = SeriesFacts(uuid4(), room.uuid, _pattern(wanted, room), details)
        report = _judge(tx, actor, series, wanted)
        if is_stored:
            _decide(tx, actor, series, report, wanted)
        return report

    def looking(rooms: Mapping[UUID, RoomRules]) -> Looking:
        room = rooms[wanted.room]
        dates = _pattern(wanted, room).dates(room, today=_today(clock, room))
        windows = tuple(occurrence.interval for occurrence in dates.occurrences)
        return Looking(windows=windows, person=actor.user_id)

    command = once(run, user_id=actor.user_id, key=key, request=wanted, form=REPORT)
    rooms = {wanted.room, *wanted.elsewhere.values()}
    return in_rooms(command, rooms=sorted(rooms), looking=looking, clock=clock)


def _today(clock: Clock, room: RoomRules) -> date:
    return clock.now().astimezone(room.zone).date()


def _pattern(wanted: BookSeries, room: RoomRules) -> Pattern:
    start = wanted.starts_local
    horizon = start.date() + timedelta(days=room.book.advance_days)
    rule = parse_rule(wanted.rule, start=start, zone=room.zone, horizon=horizon)
    return Pattern(start, timedelta(minutes=wanted.minutes), rule, room.zone)


def _judge(
    tx: RoomTransaction, actor: Actor, series: SeriesFacts, wanted: BookSeries
) -> SeriesReport:
    room = tx.rooms[wanted.room]
    today = tx.now.astimezone(room.zone).date()
    expansion = series.pattern.dates(room, today=today)
    elsewhere = {name: tx.rooms[uuid] for name, uuid in wanted.elsewhere.items()}
    refuse_foreign_dates(elsewhere, expansion.occurrences)
    wishes = wishes_for(expansion.occurrences, room, elsewhere)
    booked, refused = judge_dates(tx, actor, series, wishes)
    beyond = tuple(at.isoformat() for at in expansion.truncated)
    return SeriesReport(series.id, tuple(booked), tuple(refused), beyond=beyond)


def _decide(
    tx: RoomTransaction,
    actor: Actor,
    series: SeriesFacts,
    report: SeriesReport,
    wanted: BookSeries,
) -> None:
    if wanted.on_clash is OnClash.REFUSE or not report.booked:
        refuse_clashes(report.refused, len(report.booked) + len(report.refused))
    tx.changes += [Change(None, booking, actor, "book_series") for booking in report.booked]
    row = series_row(series, tx.rooms[wanted.room], now=tx.now)
    skipped = skipped_rows(series.id, report.refused)
    tx.also.append(row.save)
    tx.also.append(lambda: SkippedDate.objects.bulk_create(skipped))
