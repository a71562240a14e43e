"""What a room's name tells of its place, for calendars that name nothing but the room. Pure."""

import re
from dataclasses import dataclass

_LEADING_CAPITALS = re.compile(r"[A-Z]+")
_FLOOR_AFTER_DOT = re.compile(r"\.(\d)")
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """Building and floor as read from a room's name."""

    building: str
    level: int


def place_from_name(room: str) -> NamedPlace | None:
    """Read "UB2.252A (Lameere)" as building UB, floor 2; a name without a dot is on floor 0.

    Leading capital letters are the building, the digit after the dot is the floor. None for a name
    that does not start with a capital letter.
    """
    capitals = _LEADING_CAPITALS.match(room)
    if capitals is None:
        return None
    floor = _FLOOR_AFTER_DOT.search(room)
    return NamedPlace(capitals.group(), int(floor.group(1)) if floor else 0)


def slug_from_name(name: str) -> str:
    """Return a slug for a name: small letters, digits, single hyphens; "room" for none."""
    return _NOT_IN_SLUG.sub("-", name.lower()).strip("-")[:50].strip("-") or "room"
