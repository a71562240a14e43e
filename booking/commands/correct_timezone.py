"""Commands: correct the time zone of a building, or apply a changed definition of the zone."""

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

LOCAL_TIME_LOST = "local_time_lost"  # flag of a booking that could not keep its local time


class Keep(StrEnum):
    """Which time of a booking stays the same when its zone changes."""

    LOCAL = "local"  # 10:00 stays 10:00, at another instant
    INSTANT = "instant"  # the instant stays, and the local time changes


@dataclass(frozen=True, slots=True)
class ZoneReport:
    """The changes of bookings that have not begun, including those that can be restored.

    `changed` has each changed booking before and after. The `clashing` bookings keep their instants
    and get the flag `local_time_lost`. A booking clashes if at the new instants it would overlap
    another booking or begin in the past, if one of its parts cannot move (a part that clashes, or a
    part in another building), or if its local times give no interval in the new zone.
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
    """Store another time zone for the building, and change the times of its future bookings.

    A booking that has begun does not change. A dry run returns the same report and stores nothing.
    If bookings keep their instants, series keep their own zone, so that the RRULE of a series still
    gives the same instants.
    Raises: InvalidCommandError `unknown_zone`; NotFoundError for an unknown building;
    PermissionDeniedError for an actor who is not an admin.
    """
    if not actor.is_admin:
        raise PermissionDeniedError(
            "Only an admin can change the time zone of a building. Ask an admin."
        )
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
    """Move each future booking to the instants that its local times have in the zone now.

    Run this after an update of the time zone database.
    Raises: NotFoundError for an unknown building; PermissionDeniedError for an actor who is not an
    admin.
    """
    if not actor.is_admin:
        raise PermissionDeniedError(
            "Only an admin can recheck the time zone of a building. Ask an admin."
        )
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
    """Return the bookings that are not over and are active or can be restored."""
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
    elsewhere = _groups_with_parts_elsewhere(tx, coming)
    stuck = {b.id for b in coming if not _can_follow(b, wanted.get(b.id), elsewhere, now=tx.now)}
    staying = _staying(tx, bookings, wanted, stuck)
    kept = [b for b in coming if b.id in staying]
    wanted |= {b.id: _with_local_times(_flag_lost(b), zone) for b in kept}
    changed = [(b, _with_deadline(b, wanted[b.id])) for b in coming if wanted[b.id] != b]
    return ZoneReport(tuple(changed), tuple(kept))


def _groups_with_parts_elsewhere(
    tx: CommandContext, bookings: Iterable[BookingData]
) -> set[UUID | None]:
    """Return the group ids of multi-room bookings that have a part in another building."""
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
    """Return whether the booking can move to `after`: not to the past, nor away from its parts."""
    if after is None or after.interval == before.interval:
        return after is not None
    return after.interval.start >= now and after.group_id not in elsewhere


def _staying(
    tx: CommandContext,
    bookings: Iterable[BookingData],
    wanted: Mapping[UUID, BookingData],
    stuck: Collection[UUID],
) -> set[UUID]:
    """Return the ids of the bookings that keep their instants.

    A booking keeps them if it is in `stuck`, or if its new slot overlaps a booking that stays or
    was made earlier. If one part stays, all parts of its booking stay. A booking that stays may
    block another booking that moves, so the check repeats until no more bookings are found.
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
        newly = _overlapping(tx, [b for b in placed if b.takes_slot], stored)
        if not newly:
            return staying


def _overlapping(
    tx: CommandContext, placed: Iterable[BookingData], stored: Mapping[UUID, BookingData]
) -> set[UUID]:
    """Return one booking of each two that overlap in one room or in rooms that share floor."""
    found: set[UUID] = set()
    before: dict[int, list[BookingData]] = defaultdict(list)  # by hall or room; ended ones dropped
    for booking in sorted(placed, key=lambda b: b.interval):
        room = tx.rooms[booking.room]
        near = [b for b in before[room.lock_id] if b.interval.end > booking.interval.start]
        for other in near:
            if other.room_id in room.related and found.isdisjoint((other.id, booking.id)):
                found.add(_which_stays(stored, booking, other))
        before[room.lock_id] = [*near, booking]
    return found


def _which_stays(stored: Mapping[UUID, BookingData], *two: BookingData) -> UUID:
    """Return the id of the booking that moves; if both move, of the one that was made later.

    At least one of the two moves, because stored bookings never overlap.
    """
    moving = [b for b in two if b.interval != stored[b.id].interval]
    return max(moving, key=lambda b: b.created_at).id


def _in_zone(booking: BookingData, zone: ZoneInfo, keep: Keep) -> BookingData | None:
    """Return the booking in this zone, or None if its local times give no interval there."""
    if keep is Keep.INSTANT:
        return _with_local_times(booking, zone)
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
    """Return 0 or 1 for the first or second instant of the local time, or None for neither."""
    choices = resolve(local, zone).choices
    return choices.index(instant) if instant in choices else None


def _with_local_times(booking: BookingData, zone: ZoneInfo) -> BookingData:
    """Return the booking with the local times of its instants in the zone."""
    return replace(
        booking,
        local_start=local_time(booking.interval.start, zone),
        local_end=local_time(booking.interval.end, zone),
    )


def _flag_lost(booking: BookingData) -> BookingData:
    return replace(booking, flags=tuple(dict.fromkeys((*booking.flags, LOCAL_TIME_LOST))))


def _with_deadline(before: BookingData, after: BookingData) -> BookingData:
    """Return `after` with its deadline moved by as much as its start; a hold expires as before."""
    if before.lapses_at is None or before.state is BookingState.HELD:
        return after
    by = after.interval.start - before.interval.start
    return replace(after, lapses_at=before.lapses_at + by)


def _store(tx: CommandContext, actor: Actor, report: ZoneReport, command: str) -> None:
    tx.changes += [Change.of(before, after, actor, command) for before, after in report.changed]
