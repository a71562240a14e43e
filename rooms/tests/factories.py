"""Places by intent."""

from itertools import count

from rooms.models import Building, Floor, Room

_numbers = count(1)


def building(*, public: bool = True, timezone: str = "Europe/Helsinki", slug: str = "") -> Building:
    n = next(_numbers)
    return Building.objects.create(
        slug=slug or f"house-{n}",
        name=f"House {n}",
        timezone=timezone,
        is_board_public=public,
        shows_titles=public,
    )


def floor(in_building: Building | None = None) -> Floor:
    house = in_building or building()
    level = house.floors.count()
    return Floor.objects.create(
        building=house, slug=f"{house.slug}-{level}", name=f"Floor {level}", level=level
    )


def room(name: str = "", *, on: Floor | None = None, capacity: int = 8) -> Room:
    n = next(_numbers)
    return Room.objects.create(
        floor=on or floor(), slug=f"room-{n}", name=name or f"Room {n}", capacity=capacity
    )
