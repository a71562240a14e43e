"""Commands: a building's time zone was wrong, or the zone's own rules have changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from booking.clock import DATABASE_CLOCK
from booking.domain.drafts import local_time
from booking.domain.facts import BookingFacts
from booking.domain.states import BookingState
from booking.models import Booking, Series
from booking.services.decision import RoomTransaction
from booking.services.room_transaction import in_rooms
from booking.services.writing import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import InvalidCommandError, PermissionDeniedError
from meeting_rooms.kernel.walltime import interval_of, resolve
from rooms.models import Building, validate_timezone
from rooms.selectors import active_rooms, get_building

LOST = "local_time_lost"  # flag of a booking that could not follow its wall time


class Keep(StrEnum):
    """What of a booking stays as it is when its zone changes."""

    LOCAL = "local"  # 10:00 stays 10:00, at another instant
    INSTANT = "instant"  # the instant stays, the clock shows another time


@dataclass(frozen=True, slots=True)
class ZoneReport:
    """What becomes of the bookings that have not begun.

    `changed` pairs each with what it becomes; `clashing` would overlap another one and stay at
    their instants, flagged.
    """

    changed: tuple[tuple[BookingFacts, BookingFacts], ...]
    clashing: tuple[BookingFacts, ...]


def correct_zone(
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

    def run(tx: RoomTransaction) -> ZoneReport:
        report = _report(_stored(house, tx.now), zone, keep, now=tx.now)
        if not is_dry_run:
            _store(tx, actor, report, "correct_zone")
            tx.also.append(save)
            tx.marked.update(tx.rooms)
        return report

    if uuids := _active_rooms(house):
        return in_rooms(run, rooms=uuids, clock=clock)
    if not is_dry_run:
        with transaction.atomic():
            save()
    return ZoneReport((), ())


def recheck_zone(
    *, actor: Actor, building: str, is_dry_run: bool = False, clock: Clock = DATABASE_CLOCK
) -> ZoneReport:
    """Move what is to come to where its wall time lies by the zone's present rules.

    For after an update of the time zone database. Raises: NotFoundError; PermissionDeniedError.
    """
    if not actor.is_admin:
        raise PermissionDeniedError("Only admins recheck a building's time zone.")
    house = get_building(building)

    def run(tx: RoomTransaction) -> ZoneReport:
        report = _report(_stored(house, tx.now), ZoneInfo(house.timezone), Keep.LOCAL, now=tx.now)
        if not is_dry_run:
            _store(tx, actor, report, "recheck_zone")
        return report

    uuids = _active_rooms(house)
    return in_rooms(run, rooms=uuids, clock=clock) if uuids else ZoneReport((), ())


def _active_rooms(house: Building) -> list[UUID]:
    rooms = active_rooms().filter(floor__building=house)
    return sorted(rooms.values_list("uuid", flat=True))


def _zone(name: str) -> ZoneInfo:
    try:
        validate_timezone(name)
    except ValidationError as exc:
        raise InvalidCommandError(exc.messages[0], code="unknown_zone") from exc
    return ZoneInfo(name)


def _stored(house: Building, now: datetime) -> list[BookingFacts]:
    bookings = Booking.objects.select_related("room").filter(
        Q(takes_slot=True) | Q(state=BookingState.PENDING),
        room__floor__building=house,
        room__is_active=True,
    )
    not_over = bookings.filter(during__endswith__gt=now).order_by("during", "created_at")
    return [booking.facts() for booking in not_over]


def _report(
    stored: Iterable[BookingFacts], zone: ZoneInfo, keep: Keep, *, now: datetime
) -> ZoneReport:
    bookings = list(stored)
    wanted = {b.id: b if b.interval.start <= now else _in_zone(b, zone, keep) for b in bookings}
    staying = _clashing(bookings, wanted)
    for booking in staying:
        flagged = replace(booking, flags=(*booking.flags, LOST))
        wanted[booking.id] = _told(flagged, zone)
    changed = [(b, wanted[b.id]) for b in bookings if wanted[b.id] != b]
    return ZoneReport(tuple(changed), tuple(staying))


def _clashing(
    bookings: Sequence[BookingFacts], wanted: Mapping[UUID, BookingFacts]
) -> list[BookingFacts]:
    """Return those that cannot move: another booking stays, or was made earlier, where they would.

    One that stays may be in the way of one more, so this is asked until nobody is.
    """
    staying: dict[UUID, BookingFacts] = {}
    while True:
        placed = [staying.get(b.id) or wanted[b.id] for b in bookings if b.takes_slot]
        placed.sort(key=lambda b: (b.room_id, b.interval))
        newly = [
            _which_stays(one, other, bookings)
            for one, other in pairwise(placed)
            if one.room_id == other.room_id and one.interval.overlaps(other.interval)
        ]
        if not newly:
            return list(staying.values())
        staying |= {booking.id: booking for booking in newly}


def _which_stays(
    one: BookingFacts, other: BookingFacts, bookings: Sequence[BookingFacts]
) -> BookingFacts:
    """Return, as stored, the one of two that moves; of two that move, the one made later."""
    stored = [b for b in bookings if b.id in (one.id, other.id)]
    moving = [b for b in stored if b.interval not in (one.interval, other.interval)]
    return max(moving or stored, key=lambda b: b.created_at)


def _in_zone(booking: BookingFacts, zone: ZoneInfo, keep: Keep) -> BookingFacts:
    if keep is Keep.INSTANT:
        return _told(booking, zone)
    start, end = (datetime.fromisoformat(at) for at in (booking.local_start, booking.local_end))
    if booking.interval.start in resolve(start, zone).choices:
        return booking  # it is where it was meant, be it the second of two
    return replace(booking, interval=interval_of(start, end, zone))


def _told(booking: BookingFacts, zone: ZoneInfo) -> BookingFacts:
    """Return the booking with the wall times its instants have in the zone."""
    return replace(
        booking,
        local_start=local_time(booking.interval.start, zone),
        local_end=local_time(booking.interval.end, zone),
    )


def _store(tx: RoomTransaction, actor: Actor, report: ZoneReport, command: str) -> None:
    tx.changes += [
        Change.of(before, _with_deadline(before, after), actor, command)
        for before, after in report.changed
    ]


def _with_deadline(before: BookingFacts, after: BookingFacts) -> BookingFacts:
    """Return it with a deadline as far from its start as before."""
    if before.lapses_at is None:
        return after
    by = after.interval.start - before.interval.start
    return replace(after, lapses_at=before.lapses_at + by)
