"""Django admin of places and policies. Every change made here reaches the screens."""

from rooms.admin.places import (
    BuildingAdmin,
    ClosureAdmin,
    FeatureAdmin,
    FloorAdmin,
    RoomAdmin,
)
from rooms.admin.policies import OpeningExceptionAdmin, PolicyAdmin, PolicyChangeAdmin

__all__ = [
    "BuildingAdmin",
    "ClosureAdmin",
    "FeatureAdmin",
    "FloorAdmin",
    "OpeningExceptionAdmin",
    "PolicyAdmin",
    "PolicyChangeAdmin",
    "RoomAdmin",
]
