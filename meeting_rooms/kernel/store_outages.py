"""The outages of stores that this process has noticed, and the log lines about them.

Requests to a store may fail many times a second during an outage. Only the first failure, one line
a minute and the first answer after the outage are logged.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

REMIND_S = 60.0  # between two log lines about one outage
# After FORGET_S without a failure and without an answer, the next failure is a new outage.
FORGET_S = 2 * REMIND_S
# An answer ends an outage only after SETTLED_S without a failure: answers that the store sent
# before it failed may arrive later.
SETTLED_S = 1.0

log = structlog.get_logger(__name__)


class Store(StrEnum):
    """A store, as log lines name it."""

    POSTGRES = "postgres"
    MONGODB = "mongodb"
    REDIS = "redis"


@dataclass(slots=True)
class _Outage:
    """The outage of one store. Times are readings of the injected clock, in seconds."""

    since: float
    logged_at: float
    failed_at: float
    failures: int = 1


class StoreOutages:
    """Logs the start and the end of each outage, and one line each REMIND_S. Thread-safe."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._outages: dict[Store, _Outage] = {}
        self._lock = threading.Lock()

    def failed(self, store: Store, error: str) -> None:
        """Count a failure of the store; log the first failure, then one failure each REMIND_S."""
        with self._lock:
            now = self._monotonic()
            outage = self._outages.get(store)
            if outage is None or now - outage.failed_at > FORGET_S:
                self._outages[store] = _Outage(now, now, now)
                event = "store_unavailable"
            else:
                outage.failures += 1
                outage.failed_at = now
                if now - outage.logged_at < REMIND_S:
                    return
                outage.logged_at = now
                event = "store_still_unavailable"
            facts = self._facts(store, self._outages[store])
        log.warning(event, **facts, error=error)

    def is_away(self, store: Store) -> bool:
        """Return whether the store has failed, and has not answered since."""
        return store in self._outages

    def answered(self, store: Store) -> None:
        """Note that the store has answered; log the end of its outage. Cheap without an outage."""
        if not self.is_away(store):
            return
        with self._lock:
            outage = self._outages.get(store)
            if outage is None or self._monotonic() - outage.failed_at < SETTLED_S:
                return
            del self._outages[store]
        log.warning("store_answers_again", **self._facts(store, outage))

    def _facts(self, store: Store, outage: _Outage) -> dict[str, object]:
        away_s = round(self._monotonic() - outage.since, 1)
        return {"store": store.value, "away_s": away_s, "failures": outage.failures}


process_outages = StoreOutages()
