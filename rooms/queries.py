"""Queries about rooms and places."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import DurationField, ExpressionWrapper, F, Func, Q, QuerySet
from django.db.models.functions import Coalesce

from meeting_rooms.kernel.errors import NotFoundError
from rooms.models import Building, Closure, Feature, Floor, Place, Policy, Room


@dataclass(frozen=True, slots=True)
class RoomFilter:
    """Conditions for listing a room. An empty field is no condition."""

    building: str | None = None
    floor: str | None = None
    min_capacity: int | None = None
    features: tuple[str, ...] = ()


def active_rooms() -> QuerySet[Room]:
    """Return every room in use with floor and building, in the order of the boards."""
    return Room.objects.filter(is_active=True).select_related("floor__building")


def find_rooms(wanted: RoomFilter) -> QuerySet[Room]:
    """Return the rooms that match, in the order of the boards."""
    rooms = active_rooms().prefetch_related("features")
    if wanted.building:
        rooms = rooms.filter(floor__building__slug=wanted.building)
    if wanted.floor:
        rooms = rooms.filter(floor__slug=wanted.floor)
    if wanted.min_capacity:
        rooms = rooms.filter(capacity__gte=wanted.min_capacity)
    for feature in wanted.features:
        rooms = rooms.filter(features__slug=feature)
    return rooms


def get_room(uuid: UUID) -> Room:
    """Return one room in use. Raises NotFoundError for an unknown or retired room."""
    room = active_rooms().prefetch_related("features").filter(uuid=uuid).first()
    if room is None:
        raise NotFoundError(f"There is no room {uuid}. Find the rooms at /api/v1/rooms.")
    return room


def rooms_named(name: str, *, building: str | None) -> list[Room]:
    """Return at most two rooms in use with this name, in the building if one is given."""
    rooms = active_rooms().filter(name=name)
    if building is not None:
        rooms = rooms.filter(floor__building__slug=building)
    return list(rooms[:2])


def get_building(slug: str) -> Building:
    """Return one building. Raises NotFoundError for an unknown building."""
    building = Building.objects.filter(slug=slug).first()
    if building is None:
        raise NotFoundError(f"There is no building '{slug}'.")
    return building


def zone_of(room: Room) -> ZoneInfo:
    """Return the time zone of the room."""
    return ZoneInfo(room.floor.building.timezone)


def rooms_under(policy: Policy) -> QuerySet[Room]:
    """Return the rooms that a policy affects: a room with its hall, a building's rooms, or all.

    The gap of one room of a divisible hall also applies next to bookings of the other rooms of the
    hall.
    """
    if policy.room_id is not None:
        own = Room.objects.filter(pk=policy.room_id)
        hall = own.annotate(hall=Coalesce("division", "pk")).values("hall")
        return Room.objects.filter(Q(pk=policy.room_id) | Q(pk__in=hall) | Q(division__in=hall))
    if policy.building_id is not None:
        return Room.objects.filter(floor__building=policy.building_id)
    return Room.objects.all()


def rooms_showing(place: Place) -> list[int]:
    """Return the ids of the rooms whose screens show this place."""
    match place:
        case Room():
            return [place.pk]
        case Floor():
            rooms = Room.objects.filter(floor=place)
        case Building():
            rooms = Room.objects.filter(floor__building=place)
        case Feature():
            rooms = Room.objects.filter(features=place)
    return sorted(rooms.values_list("pk", flat=True))


def schedule_versions() -> dict[UUID, int]:
    """Return the schedule version of every room in use, with one query."""
    return dict(Room.objects.filter(is_active=True).values_list("uuid", "schedule_version"))


def schedule_ages_s(room_uuids: Collection[UUID]) -> dict[UUID, float]:
    """Return the seconds since the last schedule change of each room, with one query.

    Includes rooms that are out of use. Postgres supplies both instants, so a wrong clock of another
    machine cannot change the result.
    """
    age = ExpressionWrapper(
        Func(function="clock_timestamp") - F("schedule_changed_at"), output_field=DurationField()
    )
    rows = Room.objects.filter(uuid__in=room_uuids).annotate(age=age).values_list("uuid", "age")
    return {uuid: waited.total_seconds() for uuid, waited in rows}


def closures_during(
    rooms: Iterable[Room | int], start: datetime, end: datetime
) -> QuerySet[Closure]:
    """Return the closures of these rooms that overlap `[start, end)`, earliest first."""
    return Closure.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=start), room__in=rooms, starts_at__lt=end
    )


def rooms_sharing_floor(rooms: Iterable[Room]) -> dict[int, list[int]]:
    """Return for each room id the ids of the rooms in `rooms` that a booking of that room blocks.

    A room blocks itself, and the rooms of its divisible hall with overlapping units. The keys
    include rooms of such a hall that are not in `rooms`. At most one query.
    """
    wanted = list(rooms)
    found = {room.pk: [room.pk] for room in wanted}
    divided = [room for room in wanted if room.units is not None]
    halls = {room.division_id or room.pk for room in divided}
    if halls:
        siblings = Room.objects.filter(Q(pk__in=halls) | Q(division_id__in=halls))
        for other in siblings.only("pk", "units"):
            found[other.pk] = [room.pk for room in divided if share_floor(room, other)]
    return found


def rooms_showing_titles(rooms: Iterable[UUID]) -> frozenset[UUID]:
    """Return the uuids of the rooms whose building lets public screens show titles.

    For a part of a divisible hall, the result also includes the hall and its other parts, because
    their bookings can block the part. One query.
    """
    own = Room.objects.filter(uuid__in=rooms)
    halls = own.exclude(division=None).values("division")
    related = Q(uuid__in=rooms) | Q(pk__in=halls) | Q(division__in=halls) | Q(division__in=own)
    shown = Room.objects.filter(related, floor__building__shows_titles=True)
    return frozenset(shown.values_list("uuid", flat=True))


def share_floor(room: Room, other: Room) -> bool:
    """Return whether two rooms of one divisible hall have overlapping floor units."""
    one, two = room.units, other.units
    return bool(one and two and one.lower < two.upper and two.lower < one.upper)
