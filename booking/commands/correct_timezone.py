"""Commands: a building's time zone was wrong, or the zone's own rules have changed."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from booking.domain.booking_data import BookingData
from booking.domain.changes import local_time
from booking.domain.error_codes import BookingErrorCode
from booking.domain.states import STATES_THAT_CAN_BE_RESTORED, BookingState
from booking.models import Booking, Series
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.unit_of_work import run_in_rooms
from booking.transaction.write_changes import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import InvalidCommandError, PermissionDeniedError
from meeting_rooms.kernel.local_time import interval_of, resolve
from rooms.models import Building, validate_timezone
from rooms.queries import active_rooms, get_building

LOST = "local_time_lost"  # flag of a booking that could not follow its wall time


class Keep(StrEnum):
    """What of a booking stays as it is when its zone changes."""

    LOCAL = "local"  # 10:00 stays 10:00, at another instant
    INSTANT = "instant"  # the instant stays, the clock shows another time


@dataclass(frozen=True, slots=True)
class ZoneReport:
    """What becomes of the bookings that have not begun, and of those that may be brought back.

    `changed` pairs each with what it becomes. `clashing` stay at their instants, flagged: they
    would overlap another one, begin in the past or part from a room of another building, or their
    wall times make no stretch.
    """

    changed: tuple[tuple[BookingData, BookingData], ...]
    clashing: tuple[BookingData, ...]


def correct_timezone(
    *,
    actor: Actor,
    building: str,
    timezone: str,
    keep: Keep,
    is_dry_run: bool = False,
    clock: Clock = DATABASE_CLOCK,
) -> ZoneReport:
    """Give the building another zone and its bookings to come their times in it.

    What has begun is history and stays. A dry run reports the same and stores nothing. Series that
    keep their instants keep their own zone, so that their rule still gives the same instants.
    Raises: InvalidCommandError `unknown_zone`; NotFoundError; PermissionDeniedError.
    """
    if not actor.is_admin:
        raise PermissionDeniedError("Only admins change a building's time zone.")
    house = get_building(building)
    zone = _zone(timezone)

    def save() -> None:
        Building.objects.filter(pk=house.pk).update(timezone=timezone)
        if keep is Keep.LOCAL:
            Series.objects.filter(room__floor__building=house).update(timezone=timezone)

    def run(tx: CommandContext) -> ZoneReport:
        report = _report(tx, zone, keep)
        if not is_dry_run:
            _store(tx, actor, report, "correct_zone")
            tx.also.append(save)
            tx.marked.update(tx.rooms)
        return report

    if uuids := _active_rooms(house):
        return run_in_rooms(run, rooms=uuids, clock=clock)
    if not is_dry_run:
        with transaction.atomic():
            save()
    return ZoneReport((), ())


def recheck_timezone(
    *, actor: Actor, building: str, is_dry_run: bool = False, clock: Clock = DATABASE_CLOCK
) -> ZoneReport:
    """Move what is to come to where its wall time lies by the zone's present rules.

    For after an update of the time zone database. Raises: NotFoundError; PermissionDeniedError.
    """
    if not actor.is_admin:
        raise PermissionDeniedError("Only admins recheck a building's time zone.")
    house = get_building(building)

    def run(tx: CommandContext) -> ZoneReport:
        report = _report(tx, ZoneInfo(house.timezone), Keep.LOCAL)
        if not is_dry_run:
            _store(tx, actor, report, "recheck_zone")
        return report

    uuids = _active_rooms(house)
    return run_in_rooms(run, rooms=uuids, clock=clock) if uuids else ZoneReport((), ())


def _active_rooms(house: Building) -> list[UUID]:
    rooms = active_rooms().filter(floor__building=house)
    return sorted(rooms.values_list("uuid", flat=True))


def _zone(name: str) -> ZoneInfo:
    try:
        validate_timezone(name)
    except ValidationError as exc:
        raise InvalidCommandError(exc.messages[0], code=BookingErrorCode.UNKNOWN_ZONE) from exc
    return ZoneInfo(name)


def _stored(tx: CommandContext) -> list[BookingData]:
    """Return what is not over and lives, or may be brought back."""
    bookings = Booking.objects.select_related("room").filter(
        Q(takes_slot=True) | Q(state__in=(BookingState.PENDING, *STATES_THAT_CAN_BE_RESTORED)),
        room__uuid__in=tx.rooms,
        during__endswith__gt=tx.now,
    )
    return [booking.as_data() for booking in bookings.order_by("during", "created_at", "pk")]


def _report(tx: CommandContext, zone: ZoneInfo, keep: Keep) -> ZoneReport:
    bookings = _stored(tx)
    coming = [b for b in bookings if b.interval.start > tx.now]
    wanted = {b.id: after for b in coming if (after := _in_zone(b, zone, keep))}
    elsewhere = _groups_elsewhere(tx, coming)
    stuck = {b.id for b in coming if not _can_follow(b, wanted.get(b.id), elsewhere, now=tx.now)}
    staying = _staying(tx, bookings, wanted, stuck)
    kept = [b for b in coming if b.id in staying]
    wanted |= {b.id: _told(_lost(b), zone) for b in kept}
    changed = [(b, _with_deadline(b, wanted[b.id])) for b in coming if wanted[b.id] != b]
    return ZoneReport(tuple(changed), tuple(kept))


def _groups_elsewhere(tx: CommandContext, bookings: Iterable[BookingData]) -> set[UUID | None]:
    """Return the bookings of several rooms of which a part is in none of these rooms."""
    groups = {booking.group_id for booking in bookings if booking.group_id}
    parts = Booking.objects.filter(group_id__in=groups, room__is_active=True)
    parts = parts.exclude(room__uuid__in=tx.rooms)
    return set(parts.values_list("group_id", flat=True))


def _can_follow(
    before: BookingData,
    after: BookingData | None,
    elsewhere: Collection[UUID | None],
    *,
    now: datetime,
) -> bool:
    """Say whether it may be where its wall time lies: not in the past, nor apart from its parts."""
    if after is None or after.interval == before.interval:
        return after is not None
    return after.interval.start >= now and after.group_id not in elsewhere


def _staying(
    tx: CommandContext,
    bookings: Iterable[BookingData],
    wanted: Mapping[UUID, BookingData],
    stuck: Collection[UUID],
) -> set[UUID]:
    """Return those that cannot move: another booking stays, or was made earlier, where they would.

    One that stays keeps the other rooms' parts of it, and may be in the way of one more: so this is
    asked until nobody is.
    """
    stored = {booking.id: booking for booking in bookings}
    parts = defaultdict(set)
    for booking in stored.values():
        parts[booking.group_id or booking.id].add(booking.id)
    staying: set[UUID] = set()
    newly = set(stuck)
    while True:
        staying |= {pk for one in newly for pk in parts[stored[one].group_id or one]}
        placed = [b if b.id in staying else wanted.get(b.id, b) for b in stored.values()]
        newly = _in_the_way(tx, [b for b in placed if b.takes_slot], stored)
        if not newly:
            return staying


def _in_the_way(
    tx: CommandContext, placed: Iterable[BookingData], stored: Mapping[UUID, BookingData]
) -> set[UUID]:
    """Return one of each two that would overlap, in one room or in rooms that share their floor."""
    found: set[UUID] = set()
    before: dict[int, list[BookingData]] = defaultdict(list)  # those not over, by hall or room
    for booking in sorted(placed, key=lambda b: b.interval):
        room = tx.rooms[booking.room]
        near = [b for b in before[room.lock_id] if b.interval.end > booking.interval.start]
        for other in near:
            if other.room_id in room.related and found.isdisjoint((other.id, booking.id)):
                found.add(_which_stays(stored, booking, other))
        before[room.lock_id] = [*near, booking]
    return found


def _which_stays(stored: Mapping[UUID, BookingData], *two: BookingData) -> UUID:
    """Return the one that moves, as what is stored does not overlap; of both, the later made."""
    moving = [b for b in two if b.interval != stored[b.id].interval]
    return max(moving, key=lambda b: b.created_at).id


def _in_zone(booking: BookingData, zone: ZoneInfo, keep: Keep) -> BookingData | None:
    """Return the booking in this zone; None where its wall times make no stretch there."""
    if keep is Keep.INSTANT:
        return _told(booking, zone)
    start, end = (datetime.fromisoformat(at) for at in (booking.local_start, booking.local_end))
    try:
        interval = interval_of(
            start,
            end,
            zone,
            fold=_fold(start, booking.interval.start, zone) or 0,
            end_fold=_fold(end, booking.interval.end, zone),
        )
    except InvalidCommandError:
        return None
    return replace(booking, interval=interval)


def _fold(local: datetime, instant: datetime, zone: ZoneInfo) -> int | None:
    """Return which of the wall time's instants it is, be it the second of two; None: neither."""
    choices = resolve(local, zone).choices
    return choices.index(instant) if instant in choices else None


def _told(booking: BookingData, zone: ZoneInfo) -> BookingData:
    """Return the booking with the wall times its instants have in the zone."""
    return replace(
        booking,
        local_start=local_time(booking.interval.start, zone),
        local_end=local_time(booking.interval.end, zone),
    )


def _lost(booking: BookingData) -> BookingData:
    return replace(booking, flags=tuple(dict.fromkeys((*booking.flags, LOST))))


def _with_deadline(before: BookingData, after: BookingData) -> BookingData:
    """Return it with a deadline as far from its start as before; a hold runs out when it would."""
    if before.lapses_at is None or before.state is BookingState.HELD:
        return after
    by = after.interval.start - before.interval.start
    return replace(after, lapses_at=before.lapses_at + by)


def _store(tx: CommandContext, actor: Actor, report: ZoneReport, command: str) -> None:
    tx.changes += [Change.of(before, after, actor, command) for before, after in report.changed]
