"""How many times a password may be tried: the limits, and the counting in memory. Pure.

A counter runs for WINDOW from its first attempt. An attempt that is refused is not counted, so a
client that goes on trying locks out neither the account nor the address for longer.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Protocol

WINDOW = timedelta(minutes=15)
# Attempts read the clock before they are counted, so they are counted out of order; processes have
# clocks of their own. Only a window that ends later than this allows was made by a wrong clock.
LATEST_END = WINDOW + timedelta(minutes=1)
# An account from one address. Source: OWASP ASVS 5.0, 6.3.1 asks for a limit and leaves the number.
PER_ACCOUNT_AND_ADDRESS = 10
# An account from all addresses together. It is higher, so that one address cannot lock out a person
# who signs in from another. Source: NIST SP 800-63B section 5.2.2, at most 100 failures.
PER_ACCOUNT = 100
PER_ADDRESS = 50  # all accounts from one address: an office shares one, and some people mistype
MAX_COUNTERS = 10_000  # in memory, about 2 MB; the oldest goes first


@dataclass(frozen=True, slots=True)
class Limit:
    """One counter and its maximum within WINDOW."""

    key: str
    at_most: int


def limits_of(account: str, network: str) -> tuple[Limit, ...]:
    """Return the limits of an attempt. `account` is a digest: counters hold no e-mail address."""
    return (
        Limit(f"pair:{account}:{network}", PER_ACCOUNT_AND_ADDRESS),
        Limit(f"account:{account}", PER_ACCOUNT),
        Limit(f"address:{network}", PER_ADDRESS),
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """The answer to an attempt. `refused_until` is None where it may go on.

    `store` names what counted it, which must also take it back.
    """

    refused_until: datetime | None
    store: str

    def retry_after_s(self, now: datetime) -> int:
        """Return the whole seconds until another attempt is allowed, at least 1."""
        if self.refused_until is None:
            return 1
        return max(ceil((self.refused_until - now).total_seconds()), 1)


class Counters(Protocol):
    """Counts attempts. Safe for threads."""

    def count(self, limits: Sequence[Limit], now: datetime) -> Counted:
        """Count one attempt on every limit, or refuse it and count none of them."""
        ...

    def take_back(self, limits: Sequence[Limit], counted: Counted) -> None:
        """Take one counted attempt back: the password was right, or was not looked at."""
        ...


@dataclass(slots=True)
class _Counter:
    count: int
    ends_at: datetime


class MemoryCounters:
    """Counters of this process alone, MAX_COUNTERS at the most."""

    store = "memory"

    def __init__(self, max_counters: int = MAX_COUNTERS) -> None:
        self._max_counters = max_counters
        self._counters: dict[str, _Counter] = {}  # oldest window first
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._counters)

    def count(self, limits: Sequence[Limit], now: datetime) -> Counted:
        """Count one attempt on every limit, or refuse it and count none of them."""
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
        """Take one counted attempt back."""
        with self._lock:
            for limit in limits:
                if (counter := self._counters.get(limit.key)) and counter.count:
                    counter.count -= 1

    def _running(self, key: str, now: datetime) -> _Counter | None:
        """Return the counter if its window still runs. A clock set back ends it."""
        counter = self._counters.get(key)
        is_running = counter is not None and now < counter.ends_at <= now + LATEST_END
        return counter if is_running else None

    def _start(self, key: str, now: datetime) -> _Counter:
        self._counters.pop(key, None)  # to the end of the order
        if len(self._counters) >= self._max_counters:
            del self._counters[next(iter(self._counters))]
        self._counters[key] = counter = _Counter(0, now + WINDOW)
        return counter
