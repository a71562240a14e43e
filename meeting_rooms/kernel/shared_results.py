"""A cache whose concurrent callers share one computation of each result."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class SharedResults(Generic[V]):
    """Keeps the results of the `max_kept` most recently requested keys.

    Everything that can make a result outdated must be part of its key. Units: `patience_s` is how
    long a caller waits, in seconds, for a result that another caller computes.
    """

    def __init__(self, *, max_kept: int, patience_s: float) -> None:
        self._max_kept = max_kept
        self._patience_s = patience_s
        self._kept: OrderedDict[Hashable, Future[V]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], V]) -> V:
        """Return the result of this key, which the first caller computes for all callers.

        If the first caller fails or takes longer than `patience_s`, this caller computes the result
        itself. Raises the errors of `compute`.
        """
        with self._lock:
            shared = self._kept.get(key)
            own: Future[V] = Future()
            if shared is None:
                self._keep(key, own)
            else:
                self._kept.move_to_end(key)
        if shared is None:
            return self._computed(key, own, compute)
        try:
            return shared.result(self._patience_s)
        except (CancelledError, TimeoutError):
            return compute()

    def _computed(self, key: Hashable, own: Future[V], compute: Callable[[], V]) -> V:
        try:
            value = compute()
        except BaseException:
            own.cancel()
            with self._lock:
                if self._kept.get(key) is own:
                    del self._kept[key]
            raise
        own.set_result(value)
        return value

    def _keep(self, key: Hashable, own: Future[V]) -> None:
        self._kept[key] = own
        if len(self._kept) > self._max_kept:
            self._kept.popitem(last=False)
