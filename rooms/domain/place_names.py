"""Reads building and floor from a room name, for calendars with no other place. Pure."""

import re
from dataclasses import dataclass

_LEADING_CAPITALS = re.compile(r"[A-Z]+")
_FLOOR_AFTER_DOT = re.compile(r"\.(\d)")
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """Building and floor as read from a room name."""

    building: str
    level: int


def place_from_name(room: str) -> NamedPlace | None:
    """Read "UB2.252A (Lameere)" as building UB, floor 2; a name without a dot is on floor 0.

    The leading capital letters are the building, the digit after the dot is the floor. Returns None
    if the name does not start with a capital letter.
    """
    capitals = _LEADING_CAPITALS.match(room)
    if capitals is None:
        return None
    floor = _FLOOR_AFTER_DOT.search(room)
    return NamedPlace(capitals.group(), int(floor.group(1)) if floor else 0)


def slug_from_name(name: str) -> str:
    """Return a slug of small letters, digits and single hyphens; "room" if the name has neither."""
    return _NOT_IN_SLUG.sub("-", name.lower()).strip("-")[:50].strip("-") or "room"
