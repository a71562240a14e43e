"""Call the ORM from the event loop: in a thread, with a connection from the pool."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from channels.db import database_sync_to_async

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` in a pool of threads and return its result. Raises what `function` raises.

    The call is not thread-sensitive: thread-sensitive calls of one process share a single thread,
    so one statement that waits for a lock would delay all others.
    """
    call = database_sync_to_async(function, thread_sensitive=False)
    return cast("T", await call(*args, **kwargs))
