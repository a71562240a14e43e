"""The rows of the fault matrix, by broken part. Importing this module registers all of them."""

from realtime.tests.faults.rows import (
    board_left_open,
    builds,
    clock,
    crash_web,
    crashes,
    deaf_clients,
    delivery,
    lifecycle,
    mongodb_away,
    poison,
    postgres_away,
    redis_away,
    slow_clients,
    soak,
)

__all__ = [
    "board_left_open",
    "builds",
    "clock",
    "crash_web",
    "crashes",
    "deaf_clients",
    "delivery",
    "lifecycle",
    "mongodb_away",
    "poison",
    "postgres_away",
    "redis_away",
    "slow_clients",
    "soak",
]
