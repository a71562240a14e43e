"""Read a series and its dates, check who may change them, and build their database rows."""

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
from booking.transaction.write_changes import ConcurrentChangeError
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.errors import (
    InvalidCommandError,
    NotFoundError,
    PermissionDeniedError,
)
from rooms.domain.effective_policy import RoomPolicy

MAX_REASON_LENGTH = 300  # characters, the size of the column `SkippedDate.reason`


def rooms_of_series(series_id: UUID) -> set[UUID]:
    """Return the room of the series and the active rooms that its dates are booked in.

    Raises NotFoundError if there is no such series.
    """
    own = Series.objects.filter(pk=series_id).values_list("room__uuid", flat=True)
    dates = Booking.objects.filter(series_id=series_id, room__is_active=True).order_by()
    found = set(own.union(dates.values_list("room__uuid", flat=True)))
    if not found:
        raise _unknown(series_id)
    return found


def require_series_owner(actor: Actor, series: SeriesFacts, tx: CommandContext) -> None:
    """Raise PermissionDeniedError for a person who is neither organizer nor room manager."""
    if actor.kind is not ActorKind.PERSON or is_manager(actor, tx.rooms[series.room]):
        return
    if actor.user_id != series.details.organizer_id:
        raise PermissionDeniedError("Only the organizer or a room manager can change this series.")


def series_ahead(
    tx: CommandContext, series: SeriesFacts, since: datetime | None
) -> list[BookingData]:
    """Return the bookings of the series, in every state, that have not begun.

    `since` is the first date to return, as its recurrence id; None returns all. A booking in a
    retired room is returned, too; its room is not one of `tx.rooms`.
    Raises ConcurrentChangeError if a date was moved to another room after the rooms were chosen.
    """
    own = Booking.objects.select_related("room").filter(series_id=series.id)
    if since is not None:
        own = own.filter(recurrence_id__gte=since.isoformat())
    ahead = own.filter(during__startswith__gt=tx.now).order_by("recurrence_id", "pk")
    if any(booking.room.is_active and booking.room.uuid not in tx.rooms for booking in ahead):
        raise ConcurrentChangeError
    return [booking.as_data() for booking in ahead]


def refuse_foreign_dates(names: Iterable[str], occurrences: Iterable[Occurrence]) -> None:
    """Raise InvalidCommandError if one of `names` is not a recurrence id of the series."""
    known = {occurrence.recurrence_id.isoformat() for occurrence in occurrences}
    foreign = sorted(set(names) - known)
    if foreign:
        raise InvalidCommandError(
            f"{foreign[0]} is not a date of the series. Name a date by its local time in the rule.",
            code=BookingErrorCode.NOT_A_DATE_OF_THE_SERIES,
            facts={"dates": sorted(known)[:10]},
        )


def series_facts(series: Series) -> SeriesFacts:
    """Return a stored series as a value. The caller selects `room` with the series."""
    zone, start = ZoneInfo(series.timezone), datetime.fromisoformat(series.starts_local)
    horizon = start.date() + timedelta(
        days=1
    )  # any date: `parse_rule` needs one if the rule is endless
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


def series_of(tx: CommandContext, series_id: UUID) -> SeriesFacts:
    """Return the series with this id, whose room is one of `tx.rooms`.

    Raises NotFoundError if there is no such series, ConcurrentChangeError if the series moved to
    another room after the rooms were chosen.
    """
    series = get_series(series_id)
    if series.room not in tx.rooms:
        raise ConcurrentChangeError
    return series


def get_series(series_id: UUID) -> SeriesFacts:
    """Return the series with this id. Raises NotFoundError if there is none."""
    series = Series.objects.select_related("room").filter(pk=series_id).first()
    if series is None:
        raise _unknown(series_id)
    return series_facts(series)


def _unknown(series_id: UUID) -> NotFoundError:
    return NotFoundError(f"There is no series {series_id}.")


def series_row(series: SeriesFacts, room: RoomPolicy, *, now: datetime) -> Series:
    """Return the unsaved database row of a new series."""
    return Series(
        id=series.id,
        room_id=room.id,
        created_at=now,
        **series_columns(series),
    )


def series_columns(series: SeriesFacts) -> dict[str, object]:
    """Return the columns of a series' row that an edit can change."""
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
    """Return the unsaved rows that record which dates are not booked, and why."""
    return [
        SkippedDate(
            series_id=series_id,
            recurrence_id=date.recurrence_id,
            code=date.code,
            reason=date.detail[:MAX_REASON_LENGTH],
        )
        for date in refused
    ]
