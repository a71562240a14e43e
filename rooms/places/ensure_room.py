"""Command: find a room by name, or create the room with its building and floor."""

from django.db import transaction

from meeting_rooms.kernel.errors import InvalidCommandError, NotFoundError
from rooms.domain.error_codes import RoomsErrorCode
from rooms.domain.place_names import place_from_name, slug_from_name
from rooms.models import Building, Floor, Room
from rooms.queries import rooms_named

DEFAULT_CAPACITY = 30  # seats; calendars contain no capacity, so an admin must correct this number


def find_room_by_name(name: str, *, building: str | None) -> Room:
    """Return the one room of this name, in the building if one is given.

    Raises: NotFoundError `unknown_room`; InvalidCommandError `ambiguous_room` if several rooms
    share the name.
    """
    found = rooms_named(name, building=building)
    if not found:
        raise NotFoundError(
            f"There is no room '{name}'. Create it first, or let the import create missing rooms.",
            code=RoomsErrorCode.UNKNOWN_ROOM,
        )
    if len(found) > 1:
        raise InvalidCommandError(
            f"Several rooms are called '{name}'. Name the building.",
            code=RoomsErrorCode.AMBIGUOUS_ROOM,
        )
    return found[0]


@transaction.atomic
def ensure_room(
    name: str, *, building: str | None, timezone: str, is_public: bool
) -> tuple[Room, bool]:
    """Return the room of this name, and whether it was created.

    Without `building`, the name gives building and floor (see `place_from_name`). A new building
    gets `timezone`, and a public board with titles if `is_public`.
    Raises InvalidCommandError `name_too_long`, `ambiguous_room`, or `no_building` if the name gives
    no building.
    """
    if rooms_named(name, building=building):
        return find_room_by_name(name, building=building), False
    if len(name) > Room.NAME_LENGTH:
        raise InvalidCommandError(
            f"The room name '{name[:40]}…' is too long. The maximum is {Room.NAME_LENGTH} "
            "characters.",
            code=RoomsErrorCode.NAME_TOO_LONG,
        )
    place = place_from_name(name)
    if building is None and place is None:
        raise InvalidCommandError(
            f"The room name '{name}' does not say which building it is in. Name the building.",
            code=RoomsErrorCode.NO_BUILDING,
        )
    label = building or (place.building if place else "")
    level = place.level if place else 0
    house = _ensure_building(label, timezone=timezone, is_public=is_public)
    floor, _ = Floor.objects.get_or_create(
        building=house,
        level=level,
        defaults={"slug": f"{house.slug}-{level}", "name": f"Floor {level}"},
    )
    room = Room.objects.create(
        floor=floor, slug=_unused_slug(floor, name), name=name, capacity=DEFAULT_CAPACITY
    )
    return room, True


def _unused_slug(floor: Floor, name: str) -> str:
    """Return the slug of the name, with a number if another room of the floor has that slug."""
    slug = slug_from_name(name)
    taken = set(floor.rooms.values_list("slug", flat=True))
    numbered = (f"{slug[:45]}-{n}" for n in range(2, len(taken) + 3))
    return slug if slug not in taken else next(s for s in numbered if s not in taken)


def _ensure_building(label: str, *, timezone: str, is_public: bool) -> Building:
    building, _ = Building.objects.get_or_create(
        slug=slug_from_name(label),
        defaults={
            "name": f"Building {label}" if label.isupper() else label,
            "timezone": timezone,
            "is_board_public": is_public,
            "shows_titles": is_public,
        },
    )
    return building
