"""CPU time of what is measured: of processes by their ids, never of the wall."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import psutil

from infra.bench.stage import Stage
from meeting_rooms.dev import servers
from meeting_rooms.dev.servers import ServiceName


class HasCpu(Protocol):
    """Whatever knows how much CPU time it has used, in seconds."""

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
    """A process and all that it has started, the ended ones left out."""

    pid: int

    @property
    def cpu_s(self) -> float:
        """User and system time so far of those that live."""
        root = psutil.Process(self.pid)
        times = [one.cpu_times() for one in (root, *root.children(recursive=True))]
        return sum(t.user + t.system for t in times)

    @property
    def memory_kb(self) -> float:
        """Resident memory."""
        root = psutil.Process(self.pid)
        return sum(p.memory_info().rss for p in (root, *root.children(recursive=True))) / 1024


def stores(stage: Stage) -> dict[ServiceName, Family]:
    """Return the embedded servers of a run."""
    found = servers.status(stage.folder)
    return {one.name: Family(one.pid) for one in found if one.pid is not None}


def spent(meters: Iterable[HasCpu]) -> list[float]:
    """Read all meters."""
    return [meter.cpu_s for meter in meters]


def since(meters: Iterable[HasCpu], before: list[float], per: float) -> list[float]:
    """Return the µs each meter has gone on by, divided by `per`."""
    return [(meter.cpu_s - was) / per * 1e6 for meter, was in zip(meters, before, strict=True)]
