"""Child processes: started for one measurement, watched for what they cost, ended with it."""

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
STOP_TIMEOUT_S = 5.0  # a graceful end is not measured here
POLL_S = 0.02
MAX_FILES = 65_536
LOG_TAIL_BYTES = 2000
PR_SET_PDEATHSIG = 1  # prctl(2)

_libc = ctypes.CDLL(None)


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us, for this process and all it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Child:
    """One process."""

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
                start_new_session=True,  # Ctrl-C reaches the benchmark alone, which ends the rest
                preexec_fn=_end_with_parent,
            )
        self._process = psutil.Process(self._popen.pid)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    @property
    def cpu_s(self) -> float:
        """User and system time so far, of the process and those it has started."""
        family = [self._process, *self._process.children(recursive=True)]
        times = [one.cpu_times() for one in family]
        return sum(t.user + t.system for t in times)

    @property
    def memory_kb(self) -> float:
        """Resident memory."""
        return float(self._process.memory_info().rss) / 1024

    def check(self) -> None:
        """Raise BenchError with the end of its output if the process has ended."""
        if (code := self._popen.poll()) is not None:
            raise BenchError(f"{self.name} ended with code {code}: {self.tail}")

    @property
    def tail(self) -> str:
        """The end of what it has printed, on one line."""
        text = self._log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        return " | ".join(line.strip() for line in text.splitlines() if line.strip())

    def end(self) -> None:
        """Ask it to end, wait, and kill it if it does not."""
        if self._popen.poll() is None:
            self._popen.terminate()
        try:
            self._popen.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


@asynccontextmanager
async def listening(child: Child, port: int) -> AsyncIterator[Child]:
    """Wait until the child accepts connections; end it on the way out. Raises BenchError."""
    deadline = time.monotonic() + START_TIMEOUT_S
    try:
        while not await _accepts(port):
            child.check()
            if time.monotonic() > deadline:
                raise BenchError(f"{child.name} did not listen in {START_TIMEOUT_S:.0f} s.")
            await asyncio.sleep(POLL_S)
        yield child
    finally:
        # In a thread: the projector's lease, and with it the product, must stay alive meanwhile.
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
    """Let the kernel end this child should the benchmark itself be killed."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
