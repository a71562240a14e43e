"""Start the load client, `native/load.c`, read its counters, and end it."""

import asyncio
import mmap
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import count
from pathlib import Path

from infra.bench.builds import compile_program
from infra.bench.children import Child
from infra.bench.goals import BenchError
from infra.bench.lags import BUCKETS
from infra.bench.stage import Stage

WORD = 8  # every counter is a native uint64
HEADER_WORDS = 16
RAMP = 64  # connections that are being opened at the same time
POLL_S = 0.0005
CONNECT_TIMEOUT_S = 90.0
LIFETIME_S = 600  # then the load client ends by itself
_numbers = count(1)


class Dialect(StrEnum):
    """What clients send before they receive frames."""

    PLAIN = "plain"
    SOCKETIO = "socketio"
    LIVE = "live"


class Word:
    """Positions in the header of `struct shared`, in words."""

    STOP, RESET, READY, FAILED, CLOSED, ROOMS, BYTES, BEGAN, LAST_READY, LOGGED = range(10)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Clients to connect. Each follows one of `topics`, in turn; `log` arrivals are recorded."""

    port: int
    connections: int
    dialect: Dialect = Dialect.LIVE
    path: str = "/ws/v1/live"
    token: str = ""
    topics: Sequence[str] = ()
    ramp: int = RAMP
    log: int = 0


class Load:
    """A running load client and its counters."""

    def __init__(self, crowd: Crowd, child: Child, counters: mmap.mmap) -> None:
        self.crowd = crowd
        self.child = child
        self._counters = counters

    @property
    def rooms(self) -> int:
        """Room frames received by all connections."""
        return self._word(Word.ROOMS)

    @property
    def ready(self) -> int:
        """Connections that are open and have their snapshot."""
        return self._word(Word.READY)

    @property
    def lost(self) -> int:
        """Connections that were refused or closed."""
        return self._word(Word.FAILED) + self._word(Word.CLOSED)

    @property
    def connected_in_s(self) -> float:
        """Seconds from the first connect until the last connection was ready."""
        return (self._word(Word.LAST_READY) - self._word(Word.BEGAN)) / 1e9

    def lags(self) -> Sequence[int]:
        """Return the histogram of lags, see `lags.percentile_ms`."""
        return struct.unpack_from(f"{BUCKETS}Q", self._counters, HEADER_WORDS * WORD)

    def arrivals(self) -> list[tuple[int, int]]:
        """Return (marker, CLOCK_MONOTONIC ns) of the recorded arrivals."""
        start = (HEADER_WORDS + BUCKETS) * WORD
        words = struct.unpack_from(f"{2 * self._word(Word.LOGGED)}Q", self._counters, start)
        return list(zip(words[::2], words[1::2], strict=True))

    async def forget(self) -> None:
        """Empty histogram and log after the warm-up."""
        struct.pack_into("Q", self._counters, Word.RESET * WORD, 1)
        async with asyncio.timeout(5):
            while self._word(Word.RESET):
                await asyncio.sleep(POLL_S)

    async def until_ready(self, timeout_s: float) -> bool:
        """Wait until every connection is ready or lost; return False on a time-out."""
        deadline = time.monotonic() + timeout_s
        while self.ready + self._word(Word.FAILED) < self.crowd.connections:
            self.child.check()
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def until_rooms(self, wanted: int, timeout_s: float) -> bool:
        """Wait for this total number of room frames; return False on a time-out."""
        deadline = time.monotonic() + timeout_s
        while self.rooms < wanted:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    def _word(self, index: int) -> int:
        value: int = struct.unpack_from("Q", self._counters, index * WORD)[0]
        return value


@asynccontextmanager
async def connecting(stage: Stage, crowd: Crowd) -> AsyncIterator[Load]:
    """Start a load client, which connects in the background; end it on exit."""
    number = next(_numbers)
    path = stage.folder / f"load-{number}"
    size = (HEADER_WORDS + BUCKETS + 2 * crowd.log) * WORD
    with path.open("w+b") as file:
        file.truncate(size)
        counters = mmap.mmap(file.fileno(), size)
    command = [
        str(_program(stage.folder)), str(path), str(crowd.port), str(crowd.connections),
        crowd.dialect, crowd.path, str(crowd.ramp), str(LIFETIME_S), *crowd.topics,
    ]  # fmt: skip
    environment = {"LOAD_TOKEN": crowd.token} if crowd.token else {}
    child = Child("load client", command, environment, stage.folder / f"load-{number}.log")
    try:
        yield Load(crowd, child, counters)
    finally:
        await asyncio.to_thread(child.end)
        counters.close()
        path.unlink()


@asynccontextmanager
async def connected(stage: Stage, crowd: Crowd) -> AsyncIterator[Load]:
    """Like `connecting`, but wait for all connections. Raises BenchError if one is refused."""
    async with connecting(stage, crowd) as load:
        if not await load.until_ready(CONNECT_TIMEOUT_S) or load.lost:
            raise BenchError(
                f"{load.ready} of {crowd.connections} clients were ready in time, "
                f"{load.lost} were refused or lost."
            )
        yield load


@cache
def _program(folder: Path) -> Path:
    return compile_program("load", folder)
