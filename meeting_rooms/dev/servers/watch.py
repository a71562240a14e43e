"""Waiting for one server: until it answers, exits, is late, or the start is abandoned."""

import threading
import time
from collections.abc import Callable

START_TIMEOUT_S = 30.0
POLL_S = 0.02

# Returns None once satisfied, else the reason why not yet.
Probe = Callable[[], str | None]


class StartAbandonedError(Exception):
    """The whole start was given up, because another service failed or somebody pressed Ctrl-C."""


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
        """Poll `probe` until it is satisfied.

        Raises: ServerExitedError at once when the process ends, ServerNotReadyError at the
        deadline, StartAbandonedError when the start is given up.
        """
        while (reason := probe()) is not None:
            if not self._is_running():
                raise ServerExitedError("the server process ended")
            if time.monotonic() >= self._deadline:
                raise ServerNotReadyError(f"not ready after {self._timeout_s:.0f} s ({reason})")
            if self._abandoned.wait(POLL_S):
                raise StartAbandonedError
        # Another server may have taken the port and answered in place of one that could not listen.
        if not self._is_running():
            raise ServerExitedError("the server process ended")
