"""A lock between processes: one start or stop at a time per data folder."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meeting_rooms.dev.servers.errors import EmbeddedServerError

LOCK_FILE = "services.lock"
# Three parallel starts time out after 30 s each, and each may retry with a few other ports.
LOCK_TIMEOUT_S = 120.0
POLL_S = 0.02


@contextmanager
def exclusive(data_dir: Path, *, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the lock of `data_dir`. The operating system releases it when the holder dies.

    Raises EmbeddedServerError if another process holds the lock for longer than `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    path = data_dir / LOCK_FILE
    while (descriptor := _try_lock(path)) is None:
        if time.monotonic() >= deadline:
            raise EmbeddedServerError(
                f"Another process has been starting or stopping the servers in {data_dir} for "
                f"{timeout_s:.0f} s. Wait until that process has ended, or end it; then try again."
            )
        time.sleep(POLL_S)
    try:
        yield
    finally:
        os.close(descriptor)


def _try_lock(path: Path) -> int | None:
    # Imported here, because Windows has no fcntl and must still be able to import the package.
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    # The previous holder may have deleted the folder: a lock on a deleted file guards nothing.
    if not path.exists() or path.stat().st_ino != os.fstat(descriptor).st_ino:
        os.close(descriptor)
        return None
    return descriptor
