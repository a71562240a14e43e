"""Calling the ORM from the event loop: in a thread of its own, with a connection from the pool."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from channels.db import database_sync_to_async

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` in a pool of threads and return its result.

    Not thread-sensitive: that would give a process a single thread for Postgres, in which one
    statement that waits for a lock holds up all others.
    """
    call = database_sync_to_async(function, thread_sensitive=False)
    return cast("T", await call(*args, **kwargs))
