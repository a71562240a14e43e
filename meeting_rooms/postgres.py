"""Connections to Postgres with a time-out on the client's side.

Postgres itself enforces `statement_timeout`, so a server that hangs, or a network that loses
packets, has no limit. The client waits GRACE_S longer than `statement_timeout`, then closes the
connection.
"""

from collections.abc import Generator
from time import monotonic
from typing import Any

import psycopg
from django.conf import settings
from psycopg import Connection, OperationalError
from psycopg.pq import TransactionStatus

from meeting_rooms.kernel.store_outages import Store, StoreOutages, process_outages

GRACE_S = 1.0  # lets the server's own time-out error arrive first, because it says more


class BoundedConnection(Connection[Any]):
    """A connection that closes itself if an answer takes too long or a statement is interrupted."""

    def wait(
        self, gen: Generator[Any, Any, Any], interval: float = 0.1, timeout: float | None = None
    ) -> Any:
        """Run one exchange with the server. Raises OperationalError if it takes too long.

        Guarantees: after an interrupted exchange, no later statement reads its answer.
        """
        limit_s = _limit_s() if timeout is None else timeout
        began = monotonic()
        try:
            if process_outages.is_away(Store.POSTGRES):
                gen = with_answer_noted(gen, process_outages)
            return super().wait(gen, interval, limit_s)
        except OperationalError:
            if timeout is None and limit_s is not None and monotonic() - began >= limit_s:
                # The answer may still arrive; the next statement must not read it as its own.
                self.pgconn.finish()
            raise
        except psycopg.Error:
            raise  # an error from the server: the exchange is complete
        except BaseException:
            # A signal handler, a cancelled thread, a time-out of pytest: the answer is still due.
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def with_answer_noted(
    gen: Generator[Any, Any, Any], outages: StoreOutages
) -> Generator[Any, Any, Any]:
    """Run one exchange, and record that Postgres has answered if the exchange succeeds.

    An exchange that waits for no answer, such as a rollback without a transaction, does not count.
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
    """Return the time-out of one exchange in seconds; None if statements have no time-out."""
    statement_ms: int = settings.STATEMENT_TIMEOUT_MS
    return statement_ms / 1000 + GRACE_S if statement_ms else None
