"""The short form of the matrix: each row's set-up and its fault once, many rows side by side.

The short form proves that a row works, with small amounts, short outages and long time limits;
`make faults` measures the guarantees. Rows that break only their own processes or connections
share one set of stores. Rows that break a store use another set, one after another.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from meeting_rooms.dev import servers
from meeting_rooms.tests.stack import ROOT
from realtime.tests.faults.forkserver import ForkServer
from realtime.tests.faults.matrix import Row, all_rows
from realtime.tests.faults.processes import TEMPLATE, process_environment
from realtime.tests.faults.running import make_template, outcome_of
from realtime.tests.faults.servers import Servers

AT_ONCE = 6  # most of their time is spent waiting
BREAKING_AT_ONCE = 3  # sets of stores; each set needs a start of all three
TEMPLATE_WITHIN_S = 60.0
LOG_END = 2_000  # characters of each log of a failed row
STOPPED_WITHIN_S = 60.0
MEMORY, MEMORY_LEAST_BYTES = Path("/dev/shm"), 4 << 30  # the stores take 1.6 GB
SLOWEST = ("F19", "F22c", "F17", "F16b", "S1", "F10", "F11", "F14")  # these rows start first


@dataclass(frozen=True, slots=True)
class Said:
    """The result of one row in the short form."""

    is_kept: bool
    text: str


class ShortForm:
    """The short form in its own process, as a test uses it."""

    def __init__(self, rows: Sequence[Row], folder: Path) -> None:
        self._folder = folder
        self._log = folder / "log"
        self._said: dict[str, Said] = {}
        # Coverage of that process would not be the product's, and would only slow it down.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "realtime.tests.faults.short", str(folder),
                 *(row.id for row in rows)],
                cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip

    def outcome(self, row: Row) -> Said:
        """Wait for one row. Raises AssertionError if the process ended without its result."""
        assert self._process.stdout is not None
        while row.id not in self._said:
            if not (line := self._process.stdout.readline()):
                raise AssertionError(f"The short form has ended:\n{self._log.read_text()[-3000:]}")
            name, is_kept, text = json.loads(line)
            self._said[name] = Said(is_kept, text)
        return self._said[row.id]

    def ends_of_logs(self, row: Row) -> str:
        """Return the last log lines of a row's processes."""
        logs = sorted(self._folder.glob(f"*/{row.id}/*.log"))
        return "\n".join(f"{log.name}:\n{log.read_text()[-LOG_END:]}" for log in logs)

    def stop(self) -> None:
        """End the process and all that it has started."""
        self._process.terminate()
        self._process.communicate(timeout=STOPPED_WITHIN_S)


class Lanes:
    """Runs rows side by side, and prints a line for each finished row."""

    def __init__(self, rows: Sequence[Row], folder: Path) -> None:
        self._rows = sorted(rows, key=lambda row: row.id not in SLOWEST)
        self._folder = folder

    async def run(self) -> None:
        calm = [row for row in self._rows if not row.breaks_stores]
        breaking = [row for row in self._rows if row.breaks_stores]
        with ForkServer({**os.environ, "LOG_LEVEL": "INFO"}) as start:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._lane("calm", calm, AT_ONCE, start))
                for n in range(BREAKING_AT_ONCE):
                    own = breaking[n::BREAKING_AT_ONCE]
                    group.create_task(self._lane(f"breaking{n}", own, 1, start))

    async def _lane(self, name: str, rows: list[Row], at_once: int, start: ForkServer) -> None:
        """Run rows on their own stores, at most `at_once` side by side."""
        if not rows:
            return
        folder = self._folder / name
        await asyncio.to_thread(folder.mkdir)
        servers = Servers(_stores_in_memory(name) or folder / "stores", given={})
        turn = asyncio.Semaphore(at_once)
        try:
            await asyncio.to_thread(servers.start)
            await self._migrate(servers, folder, start)
            async with asyncio.TaskGroup() as group:
                for row in rows:
                    group.create_task(self._one(row, servers, folder / row.id, turn, start))
        finally:
            await asyncio.to_thread(servers.stop)

    async def _migrate(self, servers: Servers, folder: Path, start: ForkServer) -> None:
        await asyncio.to_thread(make_template, servers)
        environment = process_environment(servers, TEMPLATE)
        process = start("migrate", [], (), log=folder / "migrate.log", environment=environment)
        async with asyncio.timeout(TEMPLATE_WITHIN_S):
            while process.is_alive:
                await asyncio.sleep(0.05)

    async def _one(
        self, row: Row, servers: Servers, folder: Path, turn: asyncio.Semaphore, start: ForkServer
    ) -> None:
        async with turn:
            await asyncio.to_thread(folder.mkdir)
            outcome = await outcome_of(row, servers, folder, start=start, is_short=True)
            if row.breaks_stores:
                await asyncio.to_thread(servers.start_again)
        print(json.dumps([row.id, outcome.is_kept, str(outcome)]), flush=True)


def _stores_in_memory(name: str) -> Path | None:
    """Return a data folder in memory, None if the memory is too small: forty databases are made."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < MEMORY_LEAST_BYTES:
        return None
    root = MEMORY / f"meeting-rooms-faults-{os.getuid()}"
    servers.reap_orphans(root, report=lambda _line: None)  # of a run that was killed
    folder = root / f"test-{os.getpid()}-{name}"
    folder.mkdir(parents=True)
    for one in (root, folder):
        one.chmod(0o755)  # Postgres does not run as root, and must be able to read the folder
    return folder


def main(folder: str, *ids: str) -> None:
    """Run the rows of these ids in an existing folder."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops the started processes first
    rows = [row for row in all_rows() if row.id in ids]
    with suppress(KeyboardInterrupt):
        asyncio.run(Lanes(rows, Path(folder)).run())


if __name__ == "__main__":
    main(*sys.argv[1:])
