"""Places and the rules of booking them."""

from rooms.models.places import (
    SLUG,
    Building,
    Closure,
    Direction,
    Feature,
    Floor,
    Room,
    validate_timezone,
)
from rooms.models.policies import OpeningHours, RulesVersion

__all__ = [
    "SLUG",
    "Building",
    "Closure",
    "Direction",
    "Feature",
    "Floor",
    "OpeningHours",
    "Room",
    "RulesVersion",
    "validate_timezone",
]
