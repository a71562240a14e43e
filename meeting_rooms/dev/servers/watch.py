"""Waits for one server until it answers, exits or is late, or until the start is abandoned."""

import threading
import time
from collections.abc import Callable

START_TIMEOUT_S = 30.0
POLL_S = 0.02

# Returns None once the server is ready, else the reason why it is not ready.
Probe = Callable[[], str | None]


class StartAbandonedError(Exception):
    """The start of all servers was abandoned: another server failed, or the user pressed Ctrl-C."""


class ServerExitedError(Exception):
    """The server process ended instead of becoming ready."""


class ServerNotReadyError(Exception):
    """The server still runs, but did not become ready in time."""


class Watch:
    """A deadline for one server process."""

    def __init__(
        self,
        is_running: Callable[[], bool],
        abandoned: threading.Event,
        timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        self._is_running = is_running
        self._abandoned = abandoned
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s

    def until(self, probe: Probe) -> None:
        """Poll `probe` until it returns None.

        Raises ServerExitedError at once if the process ends, ServerNotReadyError at the deadline,
        StartAbandonedError if the start is abandoned.
        """
        while (reason := probe()) is not None:
            if not self._is_running():
                raise ServerExitedError("the server process ended")
            if time.monotonic() >= self._deadline:
                raise ServerNotReadyError(f"not ready after {self._timeout_s:.0f} s ({reason})")
            if self._abandoned.wait(POLL_S):
                raise StartAbandonedError
        # Another program may have the port and answer, while the started server could not listen.
        if not self._is_running():
            raise ServerExitedError("the server process ended")
