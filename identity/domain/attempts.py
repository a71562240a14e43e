"""The limits of sign-in attempts, and counters in memory. Pure.

A counter runs for WINDOW from its first attempt. A refused attempt is not counted, so further
attempts of a client do not lock the account or the address for longer.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Protocol

WINDOW = timedelta(minutes=15)
# The latest end of a valid window, from now. An attempt reads the clock before it is counted, and
# processes have different clocks, so an end up to 1 min later than WINDOW is normal. A later end
# comes from a wrong clock.
LATEST_END = WINDOW + timedelta(minutes=1)
# An account from one address. Source: OWASP ASVS 5.0, 6.3.1 asks for a limit and leaves the number.
PER_ACCOUNT_AND_ADDRESS = 10
# An account from all addresses together. It is higher, so that one address cannot lock out a person
# who signs in from another. Source: NIST SP 800-63B section 5.2.2, at most 100 failures.
PER_ACCOUNT = 100
PER_ADDRESS = 50  # all accounts from one address: the people of an office may share one address
MAX_COUNTERS = 10_000  # in memory, about 2 MB; the oldest is dropped first


@dataclass(frozen=True, slots=True)
class Limit:
    """One counter and its maximum within WINDOW."""

    key: str
    at_most: int


def limits_of(account: str, network: str) -> tuple[Limit, ...]:
    """Return the limits of an attempt. `account` is a digest: keys contain no e-mail address."""
    return (
        Limit(f"pair:{account}:{network}", PER_ACCOUNT_AND_ADDRESS),
        Limit(f"account:{account}", PER_ACCOUNT),
        Limit(f"address:{network}", PER_ADDRESS),
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """The result of counting an attempt. `refused_until` is None if the attempt is allowed.

    `store` names the counters that counted the attempt; only they can take the attempt back.
    """

    refused_until: datetime | None
    store: str

    def retry_after_s(self, now: datetime) -> int:
        """Return the full seconds until another attempt is allowed, at least 1."""
        if self.refused_until is None:
            return 1
        return max(ceil((self.refused_until - now).total_seconds()), 1)


class Counters(Protocol):
    """Counts attempts. Safe for threads."""

    def count(self, limits: Sequence[Limit], now: datetime) -> Counted:
        """Count one attempt on every limit; if a limit is reached, refuse it without counting."""
        ...

    def take_back(self, limits: Sequence[Limit], counted: Counted) -> None:
        """Subtract one counted attempt: the password was right, or was not checked."""
        ...


@dataclass(slots=True)
class _Counter:
    count: int
    ends_at: datetime


class MemoryCounters:
    """Counters in the memory of this process, at most MAX_COUNTERS."""

    store = "memory"

    def __init__(self, max_counters: int = MAX_COUNTERS) -> None:
        self._max_counters = max_counters
        self._counters: dict[str, _Counter] = {}  # oldest window first
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._counters)

    def count(self, limits: Sequence[Limit], now: datetime) -> Counted:
        """Count one attempt on every limit; if a limit is reached, refuse it without counting."""
        with self._lock:
            full = [
                counter.ends_at
                for limit in limits
                if (counter := self._running(limit.key, now)) and counter.count >= limit.at_most
            ]
            if full:
                return Counted(max(full), self.store)
            for limit in limits:
                counter = self._running(limit.key, now) or self._start(limit.key, now)
                counter.count += 1
        return Counted(None, self.store)

    def take_back(self, limits: Sequence[Limit], counted: Counted) -> None:  # noqa: ARG002 - the protocol's
        """Subtract one counted attempt."""
        with self._lock:
            for limit in limits:
                if (counter := self._counters.get(limit.key)) and counter.count:
                    counter.count -= 1

    def _running(self, key: str, now: datetime) -> _Counter | None:
        """Return the counter if its window still runs. Setting the clock back ends the window."""
        counter = self._counters.get(key)
        is_running = counter is not None and now < counter.ends_at <= now + LATEST_END
        return counter if is_running else None

    def _start(self, key: str, now: datetime) -> _Counter:
        self._counters.pop(key, None)  # to the end of the order
        if len(self._counters) >= self._max_counters:
            del self._counters[next(iter(self._counters))]
        self._counters[key] = counter = _Counter(0, now + WINDOW)
        return counter
