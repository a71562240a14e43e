"""The rules of each room, kept in memory for as long as no rule anywhere has changed.

A booking command reads the version of all rules under the room's lock and uses what is kept only
where the versions agree. So nothing is ever decided by an old rule, and no rule is read twice.
"""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q

from meeting_rooms.kernel.errors import NotFoundError, UnavailableError
from rooms.domain.rulebook import Period, RoomRules, Rulebook
from rooms.models import Room
from rooms.selectors import active_rooms, share_floor

MAX_KEPT = 20_000  # rooms; about 2 KB each
MAX_READS = 5  # of rules that change while they are read
VERSION_OF_RULES = "(SELECT version FROM rooms_rulesversion WHERE id = 1)"

_kept: dict[UUID, RoomRules] = {}


def rules_of(uuids: Collection[UUID], *, version: int | None = None) -> list[RoomRules]:
    """Return the rules of these rooms, in the order asked for.

    With a `version` they are those of that version or newer; without one they may be old, and are
    good only for asking what is to be checked against the version under the lock.
    Raises NotFoundError for a room that is unknown or out of use.
    """
    found = {}
    for uuid in uuids:
        kept = _kept.get(uuid)
        if kept is not None and version in (None, kept.version):
            found[uuid] = kept
    if missing := [uuid for uuid in uuids if uuid not in found]:
        found |= _read(missing)
    return [found[uuid] for uuid in uuids]


def current_rules_of(uuids: Collection[UUID]) -> list[RoomRules]:
    """Return the rules of these rooms as they are now; for answers that decide nothing.

    Raises NotFoundError for a room that is unknown or out of use.
    """
    return rules_of(uuids, version=_version())


def _read(uuids: Collection[UUID]) -> dict[UUID, RoomRules]:
    """Read and keep the rules of these rooms, all as of one version."""
    for _ in range(MAX_READS):
        before = _version()
        found = {rules.uuid: rules for rules in _read_once(uuids, before)}
        if _version() == before:
            break
    else:
        raise UnavailableError("The rooms' rules are being changed right now. Try again.")
    for uuid in uuids:
        if uuid not in found:
            _kept.pop(uuid, None)
            raise NotFoundError(f"There is no room {uuid}. List them at /api/v1/rooms.")
    if len(_kept) + len(found) > MAX_KEPT:
        _kept.clear()
    _kept.update(found)
    return found


def _version() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce({VERSION_OF_RULES}, 0)")
        row: tuple[int] = cursor.fetchone()
    return row[0]


def _read_once(uuids: Collection[UUID], version: int) -> list[RoomRules]:
    rooms = list(active_rooms().filter(uuid__in=uuids))
    books = _rulebooks(rooms)
    related, divisions = _related(rooms)
    return [
        RoomRules(
            version=version,
            id=room.pk,
            uuid=room.uuid,
            name=room.name,
            capacity=room.capacity,
            building_id=room.floor.building_id,
            zone=ZoneInfo(room.floor.building.timezone),
            units=_units(room),
            lock_id=room.division_id or room.pk,
            related=related[room.pk],
            division=divisions[room.pk],
            book=books[room.pk],
        )
        for room in rooms
    ]


def _units(room: Room) -> str:
    if room.units is None:
        return f"[{room.pk},{room.pk}]"
    return f"[{room.units.lower},{room.units.upper})"


def _related(
    rooms: Collection[Room],
) -> tuple[dict[int, tuple[int, ...]], dict[int, tuple[int, ...]]]:
    """Return by room which rooms share a piece of floor with it, and which its hall has in all."""
    related: dict[int, tuple[int, ...]] = {room.pk: (room.pk,) for room in rooms}
    divisions = dict(related)
    divided = {room.pk: room for room in rooms if room.units is not None}
    halls = {room.division_id or room.pk for room in divided.values()}
    if halls:
        siblings = list(Room.objects.filter(Q(pk__in=halls) | Q(division__in=halls)).order_by("pk"))
        for pk, room in divided.items():
            hall = room.division_id or pk
            own = [other for other in siblings if hall in (other.pk, other.division_id)]
            divisions[pk] = tuple(other.pk for other in own)
            related[pk] = tuple(other.pk for other in own if share_floor(room, other))
    return related, divisions


def _rulebooks(rooms: Collection[Room]) -> dict[int, Rulebook]:
    books = {}
    for room in rooms:
        hours: dict[int, list[Period]] = defaultdict(list)
        for row in room.opening_hours.all():
            hours[row.weekday].append((row.opens, row.closes))
        books[room.pk] = Rulebook(hours={day: tuple(kept) for day, kept in hours.items()})
    return books
