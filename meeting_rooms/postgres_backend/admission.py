"""A queue for a limited number of places: first come, first served, with a limit to its length."""

from collections import deque
from concurrent.futures import Future
from threading import Lock


class QueueFullError(Exception):
    """As many callers as may wait are waiting already."""


class RefusedError(Exception):
    """The caller waited, and then `refuse_waiting` was called."""


class Admission:
    """Lets so many callers in at once; the others wait in the order in which they came.

    Units: `patience_s` is the last resort of one wait, in seconds. What bounds a wait is the number
    of callers ahead, so that a slow machine makes the queue slower but refuses nobody.
    """

    def __init__(self, *, places: int, max_waiting: int, patience_s: float) -> None:
        self._free = places
        self._max_waiting = max_waiting
        self._patience_s = patience_s
        self._waiting: deque[Future[bool]] = deque()
        self._lock = Lock()

    def enter(self) -> None:
        """Take a place, waiting for one if need be. Give it back with `leave`.

        Raises QueueFullError at once, RefusedError, or TimeoutError after the last resort.
        """
        with self._lock:
            if self._free:
                self._free -= 1
                return
            if len(self._waiting) >= self._max_waiting:
                raise QueueFullError
            turn: Future[bool] = Future()
            self._waiting.append(turn)
        try:
            is_admitted = turn.result(self._patience_s)
        except BaseException:
            self._withdraw(turn)
            raise
        if not is_admitted:
            raise RefusedError

    def leave(self) -> None:
        """Give a place back: to the caller who has waited longest, if any."""
        with self._lock:
            self._pass_on()

    def refuse_waiting(self) -> None:
        """Send every caller away who waits now."""
        with self._lock:
            for turn in self._waiting:
                turn.set_result(False)
            self._waiting.clear()

    def _withdraw(self, turn: Future[bool]) -> None:
        """Leave the queue early, and pass on a place that was given in the same instant."""
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif turn.result():
                self._pass_on()

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.popleft().set_result(True)
        else:
            self._free += 1
