"""Questions to a store, asked together: a thousand sockets that open at once ask a few times."""

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Generic, TypeVar

from realtime.threads import in_thread

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
AT_ONCE = 500  # keys of one question
PAUSE_S = 0.02  # between two questions; a lone one is asked at once


class BatchLoader(Generic[K, V]):
    """Collects what is asked within PAUSE_S of an earlier question, and asks it as one.

    `find` runs in a thread; it returns the answers of the keys that have one.
    """

    def __init__(self, find: Callable[[Collection[K]], Mapping[K, V]]) -> None:
        self._find = find
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, key: K) -> V | None:
        """Return the answer, found after this call began. Raises whatever `find` raises."""
        loop = asyncio.get_running_loop()
        answer = self._waiting.setdefault(key, loop.create_future())
        if self._asking is None or self._asking.done():
            self._asking = loop.create_task(self._ask_all(), name="together")
        return await asyncio.shield(answer)  # one that leaves must not take it from the others

    async def _ask_all(self) -> None:
        while self._waiting:
            keys = list(self._waiting)[:AT_ONCE]
            asked = {key: self._waiting.pop(key) for key in keys}
            try:
                found = await in_thread(self._find, keys)
            except Exception as exc:  # noqa: BLE001 - it belongs to those who asked
                for answer in asked.values():
                    answer.set_exception(exc)
                    answer.exception()  # seen: nobody may be left to ask for it
            else:
                for key, answer in asked.items():
                    answer.set_result(found.get(key))
            await asyncio.sleep(PAUSE_S)
