"""Password hashers with a limit for the number of hashes that a process makes at once.

A hash takes 100 MB and a full CPU for about 0.1 s. The limit holds for the hashes of all pages,
forms and commands together.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher

from identity.domain.error_codes import IdentityErrorCode
from meeting_rooms.kernel.errors import UnavailableError

HASHES_AT_ONCE = 4  # each needs 100 MB of memory
MAX_WAITING = 16  # requests; each waiting request occupies a thread
MAX_WAIT_S = 5.0  # for a place; people do not wait longer for a sign-in
RETRY_AFTER_S = 5  # as long as MAX_WAIT_S


class HashingBusyError(UnavailableError):
    """The queue for a place is full, or the wait was too long. No hash was made."""

    default_code = IdentityErrorCode.SIGN_IN_BUSY


class Places:
    """A limited number of places with a queue of limited length. Thread-safe."""

    def __init__(
        self,
        at_once: int = HASHES_AT_ONCE,
        waiting: int = MAX_WAITING,
        wait_s: float = MAX_WAIT_S,
    ) -> None:
        self._free = threading.BoundedSemaphore(at_once)
        self._admitted = threading.BoundedSemaphore(at_once + waiting)
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._running = 0
        self.most_at_once = 0  # since the process started
        self.total = 0  # hashes made since the process started

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place during the block, after a wait if all places are taken.

        Raises HashingBusyError if the queue is full or the wait takes longer than `wait_s`.
        """
        if not self._admitted.acquire(blocking=False):
            raise _busy()
        try:
            if not self._free.acquire(timeout=self._wait_s):
                raise _busy()
            try:
                self._enter()
                yield
            finally:
                self._leave()
                self._free.release()
        finally:
            self._admitted.release()

    def _enter(self) -> None:
        with self._lock:
            self._running += 1
            self.total += 1
            self.most_at_once = max(self.most_at_once, self._running)

    def _leave(self) -> None:
        with self._lock:
            self._running -= 1


def _busy() -> HashingBusyError:
    return HashingBusyError(
        "Many people are signing in right now. Wait a few seconds, then try again.",
        facts={"retry_after_s": RETRY_AFTER_S},
    )


PLACES = Places()


class BoundedArgon2(Argon2PasswordHasher):
    """Argon2id, at most HASHES_AT_ONCE at a time. Raises HashingBusyError like `Places.one`.

    Uses one lane instead of Django's eight: the work is the same, but four hashes occupy four
    threads instead of 32. With 32 threads, other requests hardly got the CPU.
    """

    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Return the hash to store."""
        with PLACES.one():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether the hash belongs to the password."""
        with PLACES.one():
            return super().verify(password, encoded)


class BoundedPBKDF2(PBKDF2PasswordHasher):
    """PBKDF2, for imported hashes, at most HASHES_AT_ONCE at a time.

    Django's `verify` calls `encode`. Raises HashingBusyError like `Places.one`.
    """

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the hash to store or to compare."""
        with PLACES.one():
            return super().encode(password, salt, iterations)
