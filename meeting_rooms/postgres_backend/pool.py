"""The pool of connections to PostgreSQL. It distinguishes a busy pool from an unavailable server.

Busy: every connection is in use. Requests wait in a queue of limited length. The queue moves as
fast as the machine works, so a slow machine answers late but refuses no request.

Unavailable: a request has a place in the pool, but PostgreSQL gives no connection. This request and
every request in the queue are refused after the pool's `timeout`.
"""

from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout, TooManyRequests

from meeting_rooms.postgres_backend.admission import Admission, QueueFullError, RefusedError

Session = psycopg.Connection[Any]


class QueuedPool(ConnectionPool[Session]):
    """A pool whose users wait for a place before they ask the pool for a connection.

    There are as many places as connections. So a user with a place waits only for PostgreSQL, until
    it has opened a connection or replaced a broken one.
    """

    def __init__(
        self,
        *args: Any,
        max_waiting: int,
        patience: float,
        seconds: Callable[[], float] = monotonic,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._patience_s = patience
        self._seconds = seconds
        self._served_at = seconds()
        self._admission = Admission(
            places=self.max_size, max_waiting=max_waiting, patience_s=patience
        )

    def getconn(self, timeout: float | None = None) -> Session:
        """Return a connection; give it back with `putconn`.

        Raises TooManyRequests if the queue is full, PoolTimeout if PostgreSQL gives no connection
        within `timeout` seconds, or within the patience of the pool.
        """
        try:
            self._admission.enter()
        except QueueFullError:
            raise TooManyRequests("too many requests wait for a connection already") from None
        except RefusedError:
            raise PoolTimeout("PostgreSQL gave no connection to an earlier request") from None
        except TimeoutError:
            raise PoolTimeout(f"no connection became free in {self._patience_s:.0f} s") from None
        try:
            return self._connection(self.timeout if timeout is None else timeout)
        except BaseException:
            self._admission.leave()
            raise

    def putconn(self, conn: Session) -> None:
        """Give a connection back, and the place with it."""
        super().putconn(conn)
        self._admission.leave()

    def close(self, timeout: float = 5.0) -> None:
        """Close the pool, and refuse every request that waits."""
        super().close(timeout)
        self._admission.refuse_waiting()

    def _connection(self, timeout_s: float) -> Session:
        """Return a connection; wait while any user got one within the last `timeout_s` seconds."""
        began = now = self._seconds()
        while (until := self._until(began, timeout_s)) > now:
            with suppress(PoolTimeout):
                session = super().getconn(until - now)
                self._served_at = self._seconds()
                return session
            now = self._seconds()
        self._admission.refuse_waiting()
        raise PoolTimeout(f"PostgreSQL has given no connection for {timeout_s:.1f} s")

    def _until(self, began: float, timeout_s: float) -> float:
        return min(max(began, self._served_at) + timeout_s, began + self._patience_s)
