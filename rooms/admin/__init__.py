"""Django admin of places and policies."""

from rooms.admin.places import BuildingAdmin, FeatureAdmin, FloorAdmin, RoomAdmin
from rooms.admin.policies import OpeningExceptionAdmin, PolicyAdmin, PolicyChangeAdmin

__all__ = [
    "BuildingAdmin",
    "FeatureAdmin",
    "FloorAdmin",
    "OpeningExceptionAdmin",
    "PolicyAdmin",
    "PolicyChangeAdmin",
    "RoomAdmin",
]
