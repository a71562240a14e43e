"""CPU time and memory of the measured processes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import psutil

from infra.bench.stage import Stage
from meeting_rooms.dev import servers
from meeting_rooms.dev.servers import ServiceName


class HasCpu(Protocol):
    """An object that has a CPU time, in seconds."""

    @property
    def cpu_s(self) -> float:
        """User and system time so far."""
        ...


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the table."""

    what: str
    value: float
    unit: str
    how: str


@dataclass(slots=True)
class Family:
    """A process and its running child processes."""

    pid: int

    @property
    def cpu_s(self) -> float:
        """User and system time so far of all running processes."""
        root = psutil.Process(self.pid)
        times = [one.cpu_times() for one in (root, *root.children(recursive=True))]
        return sum(t.user + t.system for t in times)

    @property
    def memory_kb(self) -> float:
        """Resident memory of all running processes."""
        root = psutil.Process(self.pid)
        return sum(p.memory_info().rss for p in (root, *root.children(recursive=True))) / 1024


def stores(stage: Stage) -> dict[ServiceName, Family]:
    """Return the embedded servers of a run by name."""
    found = servers.status(stage.folder)
    return {one.name: Family(one.pid) for one in found if one.pid is not None}


def spent(meters: Iterable[HasCpu]) -> list[float]:
    """Return the CPU time of all meters."""
    return [meter.cpu_s for meter in meters]


def since(meters: Iterable[HasCpu], before: list[float], per: float) -> list[float]:
    """Return the µs that each meter has used since `before`, divided by `per`."""
    return [(meter.cpu_s - was) / per * 1e6 for meter, was in zip(meters, before, strict=True)]
