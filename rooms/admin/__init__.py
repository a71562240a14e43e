"""Django admin of places and policies. Every change made here reaches the screens."""

from rooms.admin.places import (
    BuildingAdmin,
    ClosureAdmin,
    FeatureAdmin,
    FloorAdmin,
    RoomAdmin,
)

__all__ = ["BuildingAdmin", "ClosureAdmin", "FeatureAdmin", "FloorAdmin", "RoomAdmin"]
