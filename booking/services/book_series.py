"""Command: book a room again and again by a rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from booking.clock import DATABASE_CLOCK
from booking.domain.drafts import Details
from booking.domain.recurrence import Expansion
from booking.domain.recurrence_text import parse_rule
from booking.domain.rules import questions
from booking.domain.series import Pattern, SeriesFacts, SeriesReport
from booking.domain.titles import clean_title
from booking.models import SkippedDate
from booking.services.decision import RoomTransaction
from booking.services.looking import Looking
from booking.services.receipts import Form, once
from booking.services.room_transaction import in_rooms, with_rooms_as_seen
from booking.services.series_dates import (
    refuse_foreign_dates,
    series_row,
    skipped_rows,
)
from booking.services.series_judging import SeriesJudge, Wish, refuse_clashes, wishes_for
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
    series = _Booking(actor, wanted, clock)
    command = once(
        series.book, user_id=series.person, key=idempotency_key, request=wanted, form=REPORT
    )
    return in_rooms(command, rooms=series.rooms, looking=series.looking, clock=clock)


def preview_series(
    *, actor: Actor, wanted: BookSeries, clock: Clock = DATABASE_CLOCK
) -> SeriesReport:
    """Return what `book_series` would book and refuse, and store nothing."""
    series = _Booking(actor, wanted, clock)
    return with_rooms_as_seen(series.judge, rooms=series.rooms, looking=series.looking, clock=clock)


class _Booking:
    """One wish for a series: what it looks at, what is judged, what is stored."""

    def __init__(self, actor: Actor, wanted: BookSeries, clock: Clock) -> None:
        if actor.user_id is None:
            raise PermissionDeniedError("Only a person can book. Sign in.")
        if len(set(wanted.elsewhere.values())) > MAX_OTHER_ROOMS:
            raise InvalidCommandError(
                f"Name at most {MAX_OTHER_ROOMS} other rooms.", code="wrong_number_of_rooms"
            )
        self.person = actor.user_id
        self.rooms = sorted({wanted.room, *wanted.elsewhere.values()})
        self._actor, self._wanted, self._clock = actor, wanted, clock
        self._details = Details.of(
            actor, clean_title(wanted.title), private=wanted.private, attendees=wanted.attendees
        )

    def looking(self, rooms: Mapping[UUID, RoomRules]) -> Looking:
        """Return all dates as windows, and the quotas of each date in its own room."""
        wishes = self._wishes(rooms, self._clock.now())
        asked = (q for wish in wishes for q in questions(wish.occurrence.interval, wish.room))
        windows = tuple(wish.occurrence.interval for wish in wishes)
        return Looking(windows=windows, person=self.person, asked=tuple(asked))

    def judge(self, tx: RoomTransaction) -> SeriesReport:
        """Return what can be booked and what not."""
        room = tx.rooms[self._wanted.room]
        series = SeriesFacts(uuid4(), room.uuid, self._pattern(room), self._details)
        judge = SeriesJudge(tx, self._actor, series)
        booked, refused = judge.dates(self._wishes(tx.rooms, tx.now))
        beyond = tuple(at.isoformat() for at in self._dates(room, tx.now).truncated)
        return SeriesReport(series.id, tuple(booked), tuple(refused), beyond=beyond)

    def book(self, tx: RoomTransaction) -> SeriesReport:
        """Judge, and put what is to be stored into the transaction."""
        report = self.judge(tx)
        if self._wanted.on_clash is OnClash.REFUSE or not report.booked:
            refuse_clashes(report.refused, len(report.booked) + len(report.refused))
        room = tx.rooms[self._wanted.room]
        tx.changes += [Change(None, b, self._actor, "book_series") for b in report.booked]
        series = SeriesFacts(report.series_id, room.uuid, self._pattern(room), self._details)
        skipped = skipped_rows(series.id, report.refused)
        tx.also.append(series_row(series, room, now=tx.now).save)
        tx.also.append(lambda: SkippedDate.objects.bulk_create(skipped))
        return report

    def _wishes(self, rooms: Mapping[UUID, RoomRules], now: datetime) -> list[Wish]:
        room = rooms[self._wanted.room]
        dates = self._dates(room, now).occurrences
        elsewhere = {name: rooms[uuid] for name, uuid in self._wanted.elsewhere.items()}
        refuse_foreign_dates(elsewhere, dates)
        return wishes_for(dates, room, elsewhere)

    def _dates(self, room: RoomRules, now: datetime) -> Expansion:
        return self._pattern(room).dates(room, today=now.astimezone(room.zone).date())

    def _pattern(self, room: RoomRules) -> Pattern:
        start = self._wanted.starts_local
        horizon = start.date() + timedelta(days=room.book.advance_days)
        rule = parse_rule(self._wanted.rule, start=start, zone=room.zone, horizon=horizon)
        return Pattern(start, timedelta(minutes=self._wanted.minutes), rule, room.zone)
