"""A first-in, first-out queue of limited length for a limited number of places."""

from collections import deque
from concurrent.futures import Future
from threading import Lock


class QueueFullError(Exception):
    """The queue is full: as many callers as may wait are waiting already."""


class RefusedError(Exception):
    """The caller was waiting when `refuse_waiting` was called."""


class Admission:
    """Gives each of `places` callers a place; further callers wait in the order of their arrival.

    Units: `patience_s` is the longest wait of one caller, in seconds. Normally the length of the
    queue limits the wait, so a slow machine makes the queue slower but refuses no caller.
    """

    def __init__(self, *, places: int, max_waiting: int, patience_s: float) -> None:
        self._free = places
        self._max_waiting = max_waiting
        self._patience_s = patience_s
        self._waiting: deque[Future[bool]] = deque()
        self._lock = Lock()

    def enter(self) -> None:
        """Take a place, after a wait if all are taken. Give the place back with `leave`.

        Raises QueueFullError if too many callers wait, RefusedError if `refuse_waiting` is called
        during the wait, TimeoutError after `patience_s`.
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
        """Give a place back; the caller that has waited longest gets the place."""
        with self._lock:
            self._pass_on()

    def refuse_waiting(self) -> None:
        """Refuse every caller that waits now."""
        with self._lock:
            for turn in self._waiting:
                turn.set_result(False)
            self._waiting.clear()

    def _withdraw(self, turn: Future[bool]) -> None:
        """Leave the queue early; pass the place on if the caller was given one in this instant."""
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
