"""Child processes of one measurement: start, CPU time, memory, end."""

import asyncio
import ctypes
import resource
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from infra.bench.goals import BenchError

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0  # then SIGKILL: a graceful end is not measured
POLL_S = 0.02
MAX_FILES = 65_536
LOG_TAIL_BYTES = 2000
PR_SET_PDEATHSIG = 1  # prctl(2)

_libc = ctypes.CDLL(None)


def raise_file_limit() -> None:
    """Raise the limit of open files, up to MAX_FILES, for this process and its children."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def free_port() -> int:
    """Return a free port of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Child:
    """A running child process, whose output goes to a log file."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self._log = log
        with log.open("wb") as out:
            self._popen = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C reaches only the benchmark, which ends them
                preexec_fn=_end_with_parent,
            )
        self._process = psutil.Process(self._popen.pid)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def cpu_s(self) -> float:
        """User and system time so far, of the process and its children."""
        family = [self._process, *self._process.children(recursive=True)]
        times = [one.cpu_times() for one in family]
        return sum(t.user + t.system for t in times)

    @property
    def memory_kb(self) -> float:
        """Resident memory of the process."""
        return float(self._process.memory_info().rss) / 1024

    def check(self) -> None:
        """Raise BenchError, with the end of the output, if the process has ended."""
        if (code := self._popen.poll()) is not None:
            raise BenchError(f"{self.name} ended with code {code}: {self.tail}")

    @property
    def tail(self) -> str:
        """The end of the output, on one line."""
        text = self._log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        return " | ".join(line.strip() for line in text.splitlines() if line.strip())

    def end(self) -> None:
        """Send SIGTERM, wait STOP_TIMEOUT_S, then kill the process."""
        if self._popen.poll() is None:
            self._popen.terminate()
        try:
            self._popen.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


@asynccontextmanager
async def listening(child: Child, port: int) -> AsyncIterator[Child]:
    """Wait until the child accepts connections; end it on exit.

    Raises BenchError if the child does not accept in START_TIMEOUT_S.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    try:
        while not await _accepts(port):
            child.check()
            if time.monotonic() > deadline:
                raise BenchError(f"{child.name} did not listen in {START_TIMEOUT_S:.0f} s.")
            await asyncio.sleep(POLL_S)
        yield child
    finally:
        # In a thread, because the event loop must go on renewing the projector lease.
        await asyncio.to_thread(child.end)


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _end_with_parent() -> None:
    """Make the kernel kill this child if the benchmark is killed."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
