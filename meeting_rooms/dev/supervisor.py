"""Child processes of `manage.py run`: start, restart when one dies, stop all in reverse order."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STOP_TIMEOUT_S = 10.0
RESTART_DELAY_S = 1.0
POLL_S = 0.2

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


@dataclass(slots=True)
class Child:
    """One supervised `manage.py` command."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    restart_at: float = field(default=0.0)

    def start(self, environment: Mapping[str, str]) -> None:
        """Start the command in a session of its own, so that Ctrl-C reaches only the supervisor."""
        self.process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, str(MANAGE), *self.arguments],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def is_running(self) -> bool:
        """Say whether the process lives."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps children alive until told to stop."""

    def __init__(
        self,
        children: Sequence[Child],
        environment: Mapping[str, str],
        report: Callable[[str], None],
    ) -> None:
        self._children = children
        self._environment = environment
        self._report = report
        self._is_stopping = False

    def start(self) -> None:
        """Start all children, and stop on SIGINT or SIGTERM from here on."""
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, self._on_signal)
        for child in self._children:
            child.start(self._environment)

    def watch(self) -> None:
        """Restart whatever dies, a second later, until a signal comes."""
        while not self._is_stopping:
            for child in self._children:
                self._revive(child)
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End all children, the last started first; kill what does not end in time."""
        for child in reversed(self._children):
            if child.process is not None and child.is_running:
                child.process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for child in self._children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._report(f"{child.name} did not end in {STOP_TIMEOUT_S:.0f} s: killed.")
                child.process.kill()
                child.process.wait()

    @property
    def is_stopping(self) -> bool:
        """Say whether a signal has come."""
        return self._is_stopping

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._is_stopping = True

    def _revive(self, child: Child) -> None:
        if child.is_running:
            child.restart_at = 0.0
        elif not child.restart_at:
            code = child.process.returncode if child.process else None
            self._report(f"{child.name} ended with code {code}; starting it again.")
            child.restart_at = time.monotonic() + RESTART_DELAY_S
        elif time.monotonic() >= child.restart_at:
            child.restart_at = 0.0
            child.start(self._environment)
