"""Judging the dates of a series, and the series' own row."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from booking.domain.booking_data import BookingData
from booking.domain.changes import Details
from booking.domain.error_codes import BookingErrorCode
from booking.models import Booking, Series, SkippedDate
from booking.series.domain.occurrences import Occurrence
from booking.series.domain.parse_rule import parse_rule
from booking.series.domain.series_data import Pattern, RefusedDate, SeriesFacts
from booking.transaction.context import CommandContext, is_manager
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.errors import (
    InvalidCommandError,
    NotFoundError,
    PermissionDeniedError,
)
from rooms.domain.effective_policy import RoomPolicy

MAX_REASON_LENGTH = 300


def require_series_owner(actor: Actor, series: SeriesFacts, tx: CommandContext) -> None:
    """Refuse a person who is neither the organizer nor runs the room."""
    if actor.kind is not ActorKind.PERSON or is_manager(actor, tx.rooms[series.room]):
        return
    if actor.user_id != series.details.organizer_id:
        raise PermissionDeniedError(
            "Only the organizer or somebody who runs the room can change this series."
        )


def series_ahead(
    series: SeriesFacts, since: datetime | None, *, now: datetime
) -> list[BookingData]:
    """Return the bookings of the series, in whatever state, that have not begun."""
    own = Booking.objects.select_related("room").filter(series_id=series.id)
    if since is not None:
        own = own.filter(recurrence_id__gte=since.isoformat())
    return [
        b.as_data() for b in own.filter(during__startswith__gt=now).order_by("recurrence_id", "pk")
    ]


def refuse_foreign_dates(names: Iterable[str], occurrences: Iterable[Occurrence]) -> None:
    """Refuse names that are no dates of the series."""
    known = {occurrence.recurrence_id.isoformat() for occurrence in occurrences}
    foreign = sorted(set(names) - known)
    if foreign:
        raise InvalidCommandError(
            f"{foreign[0]} is no date of the series. Name dates by their wall time in the rule.",
            code=BookingErrorCode.NOT_A_DATE_OF_THE_SERIES,
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


def series_row(series: SeriesFacts, room: RoomPolicy, *, now: datetime) -> Series:
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
