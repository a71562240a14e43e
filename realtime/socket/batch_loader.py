"""A batch loader: many lookups at the same time become a few queries of a store.

A thousand sockets that open at once cause a few queries instead of a thousand.
"""

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Generic, TypeVar

from realtime.threads import in_thread

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
AT_ONCE = 500  # keys per query
PAUSE_S = 0.02  # between two queries; a single lookup is queried at once


class BatchLoader(Generic[K, V]):
    """Collects the lookups within PAUSE_S of an earlier query into one query.

    `find` runs in a thread; it returns the values of the keys that exist.
    """

    def __init__(self, find: Callable[[Collection[K]], Mapping[K, V]]) -> None:
        self._find = find
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, key: K) -> V | None:
        """Return the value of a key, read after this call began; None if there is none.

        Raises the errors of `find`.
        """
        loop = asyncio.get_running_loop()
        answer = self._waiting.setdefault(key, loop.create_future())
        if self._asking is None or self._asking.done():
            self._asking = loop.create_task(self._ask_all(), name="batch-loader")
        # The cancellation of one caller must not cancel the lookup of the others.
        return await asyncio.shield(answer)

    async def _ask_all(self) -> None:
        while self._waiting:
            keys = list(self._waiting)[:AT_ONCE]
            asked = {key: self._waiting.pop(key) for key in keys}
            try:
                found = await in_thread(self._find, keys)
            except Exception as exc:  # noqa: BLE001 - raised in the callers
                for answer in asked.values():
                    answer.set_exception(exc)
                    answer.exception()  # marks it as retrieved: every caller may be cancelled
            else:
                for key, answer in asked.items():
                    answer.set_result(found.get(key))
            await asyncio.sleep(PAUSE_S)
