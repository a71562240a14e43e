"""Connections to Postgres that are given up when it falls silent.

`statement_timeout` is kept by the server, so a server that hangs, or a network that swallows, keeps
no promise at all. What waits for an answer here waits a moment longer than the server would allow.
"""

from collections.abc import Generator
from time import monotonic
from typing import Any

import psycopg
from django.conf import settings
from psycopg import Connection, OperationalError
from psycopg.pq import TransactionStatus

from meeting_rooms.kernel.store_outages import Store, StoreOutages, process_outages

GRACE_S = 1.0  # for the server's own time-out to arrive, which says more


class BoundedConnection(Connection[Any]):
    """A connection that closes itself rather than wait for ever or stay in mid-statement."""

    def wait(
        self, gen: Generator[Any, Any, Any], interval: float = 0.1, timeout: float | None = None
    ) -> Any:
        """Run one exchange with the server. OperationalError when it takes too long.

        Guarantees: whatever interrupts the exchange, the next statement never meets its remains.
        """
        limit_s = _limit_s() if timeout is None else timeout
        began = monotonic()
        try:
            if process_outages.is_away(Store.POSTGRES):
                gen = with_answer_noted(gen, process_outages)
            return super().wait(gen, interval, limit_s)
        except OperationalError:
            if timeout is None and limit_s is not None and monotonic() - began >= limit_s:
                self.pgconn.finish()  # an answer may still come: nobody must take it for another's
            raise
        except psycopg.Error:
            raise  # the server's own words: the exchange is over
        except BaseException:
            # A signal handler, a cancelled thread, a time-out of pytest: the answer is still due.
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def with_answer_noted(
    gen: Generator[Any, Any, Any], outages: StoreOutages
) -> Generator[Any, Any, Any]:
    """Pass one exchange on, and note that Postgres has answered when it ends well.

    An exchange that waits for nothing, such as the rollback of no transaction, proves nothing.
    """
    try:
        wanted = next(gen)
    except StopIteration as done:
        return done.value
    while True:
        ready = yield wanted
        try:
            wanted = gen.send(ready)
        except StopIteration as done:
            outages.answered(Store.POSTGRES)
            return done.value


def _limit_s() -> float | None:
    """Return how long to wait; None where statements have no limit either."""
    statement_ms: int = settings.STATEMENT_TIMEOUT_MS
    return statement_ms / 1000 + GRACE_S if statement_ms else None
