"""Places and the rules of booking them."""

from rooms.models.places import (
    SLUG,
    Building,
    Closure,
    Direction,
    Feature,
    Floor,
    Place,
    Room,
    validate_timezone,
)
from rooms.models.policies import Policy, PolicyChange, RulesVersion
from rooms.models.policy_lists import (
    ExceptionPeriod,
    OpeningException,
    OpeningHours,
    PolicyPerson,
    Quota,
)

__all__ = [
    "SLUG",
    "Building",
    "Closure",
    "Direction",
    "ExceptionPeriod",
    "Feature",
    "Floor",
    "OpeningException",
    "OpeningHours",
    "Place",
    "Policy",
    "PolicyChange",
    "PolicyPerson",
    "Quota",
    "Room",
    "RulesVersion",
    "validate_timezone",
]
