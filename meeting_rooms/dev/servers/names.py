"""The names of the three services: in code, for people and in the environment."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ServiceName(StrEnum):
    """A server that this package can run."""

    POSTGRES = "postgres"
    MONGODB = "mongodb"
    REDIS = "redis"


ENVIRONMENT: Mapping[ServiceName, str] = MappingProxyType(
    {
        ServiceName.POSTGRES: "DATABASE_URL",
        ServiceName.MONGODB: "MONGODB_URL",
        ServiceName.REDIS: "REDIS_URL",
    }
)
TITLES: Mapping[ServiceName, str] = MappingProxyType(
    {
        ServiceName.POSTGRES: "PostgreSQL",
        ServiceName.MONGODB: "MongoDB",
        ServiceName.REDIS: "Redis",
    }
)

# The database in Postgres and MongoDB, and the user that owns the database.
DATABASE = "meeting_rooms"
USER = "meeting_rooms"
