"""The rows of the fault matrix, by what is broken. Importing this enters all of them."""

from realtime.tests.faults.rows import (
    board_left_open,
    crashes,
    delivery,
    mongodb_away,
    postgres_away,
    redis_away,
)

__all__ = ["board_left_open", "crashes", "delivery", "mongodb_away", "postgres_away", "redis_away"]
