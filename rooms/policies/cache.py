"""A cache of the rules of each room, valid until any rule changes.

A booking command reads the version of all rules under the lock of the room, and uses a cached entry
only if its version is the same. So no command uses an outdated rule.
"""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q

from meeting_rooms.kernel.errors import NotFoundError, UnavailableError
from rooms.domain.effective_policy import EffectivePolicy, RoomPolicy
from rooms.domain.resolve_policy import resolve
from rooms.models import Room
from rooms.policies.store import stored_rules
from rooms.queries import active_rooms, share_floor

MAX_KEPT = 20_000  # rooms; about 2 KB each
MAX_READS = 5  # attempts, if rules change during the read

_kept: dict[UUID, RoomPolicy] = {}


def room_policies(uuids: Collection[UUID], *, version: int | None = None) -> list[RoomPolicy]:
    """Return the rules of these rooms, in the order asked for.

    With a `version`, the rules have that version or a newer one. Without a version they may be
    outdated: the caller must compare their version under the lock before it decides.
    Raises NotFoundError for a room that is unknown or out of use, UnavailableError if rules changed
    during each of MAX_READS attempts.
    """
    found = {}
    for uuid in uuids:
        kept = _kept.get(uuid)
        if kept is not None and version in (None, kept.version):
            found[uuid] = kept
    if missing := [uuid for uuid in uuids if uuid not in found]:
        found |= _read(missing)
    return [found[uuid] for uuid in uuids]


def current_room_policies(uuids: Collection[UUID]) -> list[RoomPolicy]:
    """Return the current rules of these rooms, for queries.

    Raises the errors of `room_policies`.
    """
    return room_policies(uuids, version=rules_version())


def _read(uuids: Collection[UUID]) -> dict[UUID, RoomPolicy]:
    """Read and cache the rules of these rooms, all of one version."""
    for _ in range(MAX_READS):
        before = rules_version()
        found = {rules.uuid: rules for rules in _read_once(uuids, before)}
        if rules_version() == before:
            break
    else:
        raise UnavailableError("The rules of the rooms are changing right now. Try again.")
    for uuid in uuids:
        if uuid not in found:
            _kept.pop(uuid, None)
            raise NotFoundError(f"There is no room {uuid}. Find the rooms at /api/v1/rooms.")
    if len(_kept) + len(found) > MAX_KEPT:
        _kept.clear()
    _kept.update(found)
    return found


def rules_version() -> int:
    """Return the number that changes with every change of any rule of any room."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce((SELECT version FROM rooms_rulesversion WHERE id = 1), 0)")
        row: tuple[int] = cursor.fetchone()
    return row[0]


def _read_once(uuids: Collection[UUID], version: int) -> list[RoomPolicy]:
    rooms = list(active_rooms().filter(uuid__in=uuids))
    halls = _halls(rooms)
    policies = _policies([*rooms, *(room for hall in halls.values() for room in hall)])
    return [_rules(room, halls.get(room.pk, [room]), policies, version) for room in rooms]


def _rules(
    room: Room, hall: list[Room], policies: dict[int, EffectivePolicy], version: int
) -> RoomPolicy:
    related = [other for other in hall if other.pk == room.pk or share_floor(room, other)]
    return RoomPolicy(
        version=version,
        id=room.pk,
        uuid=room.uuid,
        name=room.name,
        capacity=room.capacity,
        building_id=room.floor.building_id,
        zone=ZoneInfo(room.floor.building.timezone),
        units=_units(room),
        lock_id=room.division_id or room.pk,
        related=tuple(other.pk for other in related),
        division=tuple(other.pk for other in hall),
        policy=policies[room.pk],
        gaps={other.pk: policies[other.pk].gap_minutes for other in related},
    )


def _units(room: Room) -> str:
    if room.units is None:
        return f"[{room.pk},{room.pk}]"
    return f"[{room.units.lower},{room.units.upper})"


def _halls(rooms: Collection[Room]) -> dict[int, list[Room]]:
    """Return for each room of a divisible hall all rooms of that hall, in ascending order of id."""
    halls = {room.pk: room.division_id or room.pk for room in rooms if room.units is not None}
    if not halls:
        return {}
    hall_ids = set(halls.values())
    siblings = (
        Room.objects.filter(Q(pk__in=hall_ids) | Q(division__in=hall_ids))
        .select_related("floor")
        .order_by("pk")
    )
    by_hall: dict[int, list[Room]] = defaultdict(list)
    for other in siblings:
        by_hall[other.division_id or other.pk].append(other)
    return {room_id: by_hall[hall] for room_id, hall in halls.items()}


def _policies(rooms: Collection[Room]) -> dict[int, EffectivePolicy]:
    """Return the policy of each room. Rooms of a building that set no rule share one object."""
    stored = stored_rules(
        building_ids={room.floor.building_id for room in rooms},
        room_ids={room.pk for room in rooms},
    )
    shared: dict[int, EffectivePolicy] = {}
    policies = {}
    for room in rooms:
        building_id = room.floor.building_id
        if room.pk not in stored.rooms and building_id in shared:
            policies[room.pk] = shared[building_id]
            continue
        scopes = stored.that_apply(building_id=building_id, room_id=room.pk)
        policies[room.pk] = resolve(scopes)
        if room.pk not in stored.rooms:
            shared[building_id] = policies[room.pk]
    return policies
