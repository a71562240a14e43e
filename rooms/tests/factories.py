"""Builders of places and policies."""

from collections.abc import Iterable
from itertools import count

from django.db.backends.postgresql.psycopg_any import NumericRange

from identity.models import User
from rooms.models import Building, Floor, Policy, Room

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


def rooms(count: int, *, on: Floor) -> list[Room]:
    """Return `count` rooms, created at once."""
    numbers = [next(_numbers) for _ in range(count)]
    return Room.objects.bulk_create(
        Room(floor=on, slug=f"room-{n}", name=f"Room {n}", capacity=8) for n in numbers
    )


def policy(
    of: Room | Building | None = None,
    *,
    hours: dict[int, list[tuple[str, str]]] | None = None,
    managers: Iterable[User] = (),
    bookers: Iterable[User] = (),
    **rules: object,
) -> Policy:
    """Return the policy of a room, a building or the campus, with these rules and lists added."""
    scope = {"room": of if isinstance(of, Room) else None,
             "building": of if isinstance(of, Building) else None}  # fmt: skip
    stored, _ = Policy.objects.update_or_create(**scope, defaults=rules)
    for weekday, periods in (hours or {}).items():
        for opens, closes in periods:
            stored.opening_hours.create(weekday=weekday, opens=opens, closes=closes)
    for role, people in (("manager", managers), ("booker", bookers)):
        for user in people:
            stored.people.create(user=user, role=role)
    return stored


def every_day(opens: str, closes: str) -> dict[int, list[tuple[str, str]]]:
    return {weekday: [(opens, closes)] for weekday in range(7)}


def divide(hall: Room, *halves: Room) -> None:
    """Make these rooms the parts of a divisible hall."""
    first = 1_000_000 + 10 * hall.pk
    Room.objects.filter(pk=hall.pk).update(units=NumericRange(first, first + len(halves)))
    for number, half in enumerate(halves):
        units = NumericRange(first + number, first + number + 1)
        Room.objects.filter(pk=half.pk).update(division=hall, units=units)
