"""Judging the dates of a series, and the series' own row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from booking.domain.drafts import Details, draft
from booking.domain.facts import BookingFacts
from booking.domain.many import Neighbourhood
from booking.domain.recurrence import Occurrence
from booking.domain.recurrence_text import parse_rule
from booking.domain.refusals import RoomClosedError, SlotTakenError
from booking.domain.request import Request
from booking.domain.rules import judge, own_holds
from booking.domain.series import FLAG_OF_SHIFT, Pattern, RefusedDate, SeriesFacts
from booking.models import Booking, Series, SkippedDate
from booking.services.decision import RoomTransaction, is_manager, let_go
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.errors import (
    ConflictError,
    InvalidCommandError,
    NotFoundError,
    PermissionDeniedError,
)
from rooms.domain.rulebook import RoomRules

MAX_REASON_LENGTH = 300


class SeriesClashesError(ConflictError):
    """Some dates cannot be booked, and all were asked for.

    Shapes: `facts.refused` lists each as `{recurrence_id, starts_at, ends_at, code, detail}`;
    `facts.bookable` of `facts.of` dates could be booked.
    """

    default_code = "series_clashes"


@dataclass(frozen=True, slots=True)
class Wish:
    """One date of a series and the room it is wanted in."""

    occurrence: Occurrence
    room: RoomRules


def neighbourhood_of(tx: RoomTransaction) -> Neighbourhood:
    """Return what was seen of all rooms."""
    return Neighbourhood.of(tx.seen.neighbours, tx.seen.closures, tx.seen.usage)


def judge_dates(
    tx: RoomTransaction,
    actor: Actor,
    series: SeriesFacts,
    wishes: Sequence[Wish],
    *,
    giving_way: frozenset[UUID] = frozenset(),
) -> tuple[list[BookingFacts], list[RefusedDate]]:
    """Return a booking for each date that the rules allow, and the refusals of the others.

    Every date is judged beside those before it, so a series meets quotas and gaps of its own.
    """
    booked: list[BookingFacts] = []
    refused: list[RefusedDate] = []
    around = neighbourhood_of(tx)
    for wish in wishes:
        try:
            facts = _judged(tx, actor, series, wish, around, giving_way)
        except (SlotTakenError, RoomClosedError, InvalidCommandError) as refusal:
            refused.append(RefusedDate.because(wish.occurrence, refusal))
            continue
        booked.append(facts)
        around.take(facts, wish.room)
    return booked, refused


def _judged(
    tx: RoomTransaction,
    actor: Actor,
    series: SeriesFacts,
    wish: Wish,
    around: Neighbourhood,
    giving_way: frozenset[UUID],
) -> BookingFacts:
    room, interval = wish.room, wish.occurrence.interval
    tx.require_looked(interval)
    known = around.near(interval, room)
    holds = own_holds(known.neighbours, interval, actor.user_id)
    request = Request(
        interval=interval,
        person=series.details.organizer_id,
        is_manager=is_manager(actor, room),
        attendees=series.details.attendees,
        replaces=giving_way | {hold.id for hold in holds},
    )
    judged = judge(request, room, known, now=tx.now)
    let_go(tx, holds, actor)
    shifted = FLAG_OF_SHIFT.get(wish.occurrence.shift)
    facts = draft(room, interval, judged, series.details, now=tx.now)
    return replace(
        facts,
        series_id=series.id,
        recurrence_id=wish.occurrence.recurrence_id.isoformat(),
        flags=(*facts.flags, shifted) if shifted else facts.flags,
    )


def judge_date(tx: RoomTransaction, actor: Actor, series: SeriesFacts, wish: Wish) -> BookingFacts:
    """Return the booking for one date. Raises what `judge` raises."""
    return _judged(tx, actor, series, wish, neighbourhood_of(tx), frozenset())


def require_series_owner(actor: Actor, series: SeriesFacts, tx: RoomTransaction) -> None:
    """Refuse a person who is neither the organizer nor runs the room."""
    if actor.kind is not ActorKind.PERSON or is_manager(actor, tx.rooms[series.room]):
        return
    if actor.user_id != series.details.organizer_id:
        raise PermissionDeniedError(
            "Only the organizer or somebody who runs the room can change this series."
        )


def series_ahead(
    series: SeriesFacts, since: datetime | None, *, now: datetime
) -> list[BookingFacts]:
    """Return the bookings of the series, in whatever state, that have not begun."""
    own = Booking.objects.select_related("room").filter(series_id=series.id)
    if since is not None:
        own = own.filter(recurrence_id__gte=since.isoformat())
    return [b.facts() for b in own.filter(during__startswith__gt=now).order_by("recurrence_id")]


def refuse_clashes(refused: Sequence[RefusedDate], wanted: int) -> None:
    """Raise SeriesClashesError if any date was refused."""
    if refused:
        bookable = wanted - len(refused)
        raise SeriesClashesError(
            f"{len(refused)} of {wanted} dates cannot be booked. Book the other {bookable}, or "
            "choose another room for those.",
            facts={
                "refused": [date.as_json() for date in refused],
                "bookable": bookable,
                "of": wanted,
            },
        )


def refuse_foreign_dates(names: Iterable[str], occurrences: Iterable[Occurrence]) -> None:
    """Refuse names that are no dates of the series."""
    known = {occurrence.recurrence_id.isoformat() for occurrence in occurrences}
    foreign = sorted(set(names) - known)
    if foreign:
        raise InvalidCommandError(
            f"{foreign[0]} is no date of the series. Name dates by their wall time in the rule.",
            code="not_a_date_of_the_series",
            facts={"dates": sorted(known)[:10]},
        )


def series_facts(series: Series) -> SeriesFacts:
    """Return a stored series as a value. Reads the room, so select it along."""
    zone, start = ZoneInfo(series.timezone), datetime.fromisoformat(series.starts_local)
    horizon = start.date() + timedelta(days=1)  # stored rules are bounded by it or by themselves
    rule = parse_rule(series.rule, start=start, zone=zone, horizon=horizon)
    return SeriesFacts(
        id=series.pk,
        room=series.room.uuid,
        pattern=Pattern(start, timedelta(minutes=series.minutes), rule, zone),
        details=Details(
            title=series.title,
            organizer=series.organizer_name,
            organizer_id=series.organizer_id,
            private=series.is_private,
            attendees=series.attendees,
        ),
        version=series.version,
    )


def get_series(series_id: UUID) -> SeriesFacts:
    """Return one series. Raises NotFoundError."""
    series = Series.objects.select_related("room").filter(pk=series_id).first()
    if series is None:
        raise NotFoundError(f"There is no series {series_id}.")
    return series_facts(series)


def series_row(series: SeriesFacts, room: RoomRules, *, now: datetime) -> Series:
    """Return the row of a new series."""
    return Series(
        id=series.id,
        room_id=room.id,
        created_at=now,
        **series_columns(series),
    )


def series_columns(series: SeriesFacts) -> dict[str, object]:
    """Return what of a series' row can change."""
    pattern, details = series.pattern, series.details
    return {
        "rule": pattern.rule.as_text(),
        "starts_local": pattern.start.isoformat(),
        "minutes": pattern.length // timedelta(minutes=1),
        "timezone": pattern.zone.key,
        "title": details.title,
        "organizer_id": details.organizer_id,
        "organizer_name": details.organizer,
        "is_private": details.private,
        "attendees": details.attendees,
        "version": series.version,
    }


def skipped_rows(series_id: UUID, refused: Iterable[RefusedDate]) -> list[SkippedDate]:
    """Return the rows of the dates that are not booked."""
    return [
        SkippedDate(
            series_id=series_id,
            recurrence_id=date.recurrence_id,
            code=date.code,
            reason=date.detail[:MAX_REASON_LENGTH],
        )
        for date in refused
    ]


def wishes_for(
    occurrences: Iterable[Occurrence], room: RoomRules, elsewhere: Mapping[str, RoomRules]
) -> list[Wish]:
    """Return the dates with the room each is wanted in."""
    return [
        Wish(occurrence, elsewhere.get(occurrence.recurrence_id.isoformat(), room))
        for occurrence in occurrences
    ]
