"""Product processes for the short form, forked from a process that has already loaded the project.

Loading the project takes 1.5 s of CPU time, and the rows start about a hundred processes. The
parent loads it once, without a connection, a thread or an event loop; a child takes the settings of
its environment and then does the same as `launch`, in its own session and with its own log.
"""

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from meeting_rooms.tests.stack import ROOT

SETTINGS = "meeting_rooms.settings"
LOADED = (
    "meeting_rooms.urls",
    "meeting_rooms.management.commands.serve",
    "realtime.management.commands.worker",
    "realtime.tests.faults.launch",
    "realtime.tests.faults.patches",
    "realtime.tests.faults.seed",
    "realtime.tests.faults.sensors",
)
ENDED_WITHIN_MS = 10_000


class Forked:
    """A child of the fork server; its parent is the fork server, not this process."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self._log = log
        try:
            self._handle: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._handle = None  # the process has already ended

    @property
    def is_alive(self) -> bool:
        return not self._ended_within(0)

    @property
    def output(self) -> str:
        return self._log.read_text()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        if not self._ended_within(ENDED_WITHIN_MS):
            raise TimeoutError(f"process {self.pid} does not end")

    def signal(self, number: signal.Signals) -> None:
        if self._handle is not None:
            signal.pidfd_send_signal(self._handle, number)

    def _ended_within(self, limit_ms: int) -> bool:
        if self._handle is not None:
            poll = select.poll()
            poll.register(self._handle, select.POLLIN)
            if not poll.poll(limit_ms):
                return False
            os.close(self._handle)
            self._handle = None
        return True


class ForkServer:
    """A `Starter`. At the end of the block it ends its own process, not the started ones."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "realtime.tests.faults.forkserver"], cwd=ROOT,
            env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=ENDED_WITHIN_MS / 1000)

    def __call__(
        self,
        role: str,
        arguments: Sequence[str],
        patches: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
    ) -> Forked:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        log.touch()
        order = [role, [*arguments, *patches], str(log), dict(environment)]
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Forked(int(self._process.stdout.readline()), log)


def main() -> None:
    """Fork once for each line of the standard input; answer with the process id of the child."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    django.setup()
    for name in LOADED:
        importlib.import_module(name)
    if "twisted.internet.reactor" in sys.modules:
        raise RuntimeError("an event loop is installed: children would share it")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel removes ended children
    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            _be_child(*json.loads(line))
        print(pid, flush=True)


def _be_child(role: str, arguments: list[str], log: str, environment: dict[str, str]) -> None:
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, path, flags in (
            (0, os.devnull, os.O_RDONLY),
            (1, log, os.O_WRONLY | os.O_APPEND),
        ):
            os.dup2(os.open(path, flags), number)
        os.dup2(1, 2)
        os.environ.clear()
        os.environ.update(environment)
        _take_settings()
        _run(role, arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - the log is all that is left of it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _take_settings() -> None:
    """Reload Django's settings from this environment; no code has used a store yet."""
    from django.conf import settings
    from django.db import connections

    fresh = importlib.reload(importlib.import_module(SETTINGS))
    for name in filter(str.isupper, vars(fresh)):
        setattr(settings, name, getattr(fresh, name))
    connections.settings = connections.configure_settings(settings.DATABASES)
    for unused in connections.all(initialized_only=True):  # created when the apps were loaded
        del connections[unused.alias]


def _run(role: str, arguments: list[str]) -> None:
    from realtime.tests.faults.launch import main as launch
    from realtime.tests.faults.processes import PROGRAMS

    if role in PROGRAMS:
        importlib.import_module(f"realtime.tests.faults.{role}").main(*arguments)
    else:
        launch(role, *arguments)


if __name__ == "__main__":
    main()
