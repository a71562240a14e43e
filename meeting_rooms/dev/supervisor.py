"""The child processes of `manage.py run`: started, restarted after a crash, stopped at the end."""

import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STOP_TIMEOUT_S = 10.0  # from SIGTERM to SIGKILL
RESTART_DELAY_S = 1.0  # so that a process that ends at once does not use all the CPU
POLL_S = 0.2  # between two checks of the children
# A process that ends more often does not work at all, and more restarts would hide the reason.
RESTARTS_AT_MOST = 5
RESTARTS_PERIOD_S = 120.0

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"

Monotonic = Callable[[], float]


class TooManyRestartsError(Exception):
    """A child process has used up its restarts; the message names the process."""


class RestartBudget:
    """Limits the restarts of one process: RESTARTS_AT_MOST in any RESTARTS_PERIOD_S."""

    def __init__(self, monotonic: Monotonic = time.monotonic) -> None:
        self._monotonic = monotonic
        self._restarts: deque[float] = deque(maxlen=RESTARTS_AT_MOST)

    def spend(self) -> bool:
        """Count one restart and return True; return False if the limit is reached."""
        now = self._monotonic()
        is_full = len(self._restarts) == RESTARTS_AT_MOST
        if is_full and now - self._restarts[0] < RESTARTS_PERIOD_S:
            return False
        self._restarts.append(now)
        return True


@dataclass(slots=True)
class Child:
    """One supervised `manage.py` command."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    restart_at: float = field(default=0.0)
    budget: RestartBudget = field(default_factory=RestartBudget)

    def start(self, environment: Mapping[str, str], log: Path) -> None:
        """Start the command in a session of its own, so that Ctrl-C reaches only the supervisor.

        The output of the command is appended to `log`.
        """
        with log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, str(MANAGE), *self.arguments],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        """Return whether the process runs."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps the children running until SIGINT or SIGTERM.

    `watch_stores` is called in each round; it restarts stores that have died, and returns the
    environment variables that have changed.
    """

    def __init__(
        self,
        children: Sequence[Child],
        environment: Mapping[str, str],
        *,
        log: Path,
        report: Callable[[str], None],
        watch_stores: Callable[[], Mapping[str, str]],
    ) -> None:
        self._children = children
        self._environment = dict(environment)
        self._log = log
        self._report = report
        self._watch_stores = watch_stores
        self._is_stopping = False
        self._is_in_stores = False

    def start(self) -> None:
        """Start all children and install the handlers of SIGINT and SIGTERM."""
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, self._on_signal)
        for child in self._children:
            child.start(self._environment, self._log)

    def watch(self) -> None:
        """Restart the children and stores that die, until SIGINT or SIGTERM.

        Raises TooManyRestartsError if a child ends too often, KeyboardInterrupt if the signal
        comes during the start of a store.
        """
        while not self._is_stopping:
            self._look_at_stores()
            for child in self._children:
                self._revive(child)
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Stop all children, the last started first; kill a child that does not end in time."""
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
        """Return whether SIGINT or SIGTERM has been received."""
        return self._is_stopping

    def ended(self) -> list[str]:
        """Return the names of the children that do not run."""
        return [child.name for child in self._children if not child.is_running]

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._is_stopping = True
        if self._is_in_stores:  # a start takes up to 30 s, and ends cleanly when interrupted
            raise KeyboardInterrupt

    def _look_at_stores(self) -> None:
        self._is_in_stores = True
        try:
            changed = self._watch_stores()
        finally:
            self._is_in_stores = False
        if changed:
            self._report("A store has another address; starting the processes again.")
            self._environment |= changed
            self.stop()
            for child in self._children:
                child.start(self._environment, self._log)

    def _revive(self, child: Child) -> None:
        if child.is_running:
            child.restart_at = 0.0
        elif not child.restart_at:
            code = child.process.returncode if child.process else None
            if not child.budget.spend():
                raise TooManyRestartsError(
                    f"{child.name} ended more than {RESTARTS_AT_MOST} times within "
                    f"{RESTARTS_PERIOD_S:.0f} s, with code {code}."
                )
            self._report(f"{child.name} ended with code {code}; starting it again.")
            child.restart_at = time.monotonic() + RESTART_DELAY_S
        elif time.monotonic() >= child.restart_at:
            child.restart_at = 0.0
            child.start(self._environment, self._log)
