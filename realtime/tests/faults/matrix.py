"""A row of the matrix: a fault, the promise, how it is measured, and the guard that keeps it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime.tests.faults.fault_env import Lab

Measure = Callable[["Lab"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Guard:
    """What keeps the promise, and how its absence is made: patches by process, or in the driver."""

    what: str
    web: tuple[str, ...] = ()
    worker: tuple[str, ...] = ()
    driver: str = ""  # the row itself, or the client, looks at this name


NO_GUARD = Guard("")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report."""

    id: str
    fault: str
    promised: str
    measure: Measure
    guard: Guard
    rooms: int = 6


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that was measured, and whether it is as promised."""

    what: str
    measured: str
    is_kept: bool


@dataclass
class Outcome:
    """What one run of a row came to."""

    claims: list[Claim] = field(default_factory=list)
    error: str = ""

    @property
    def is_kept(self) -> bool:
        return bool(self.claims) and not self.error and all(c.is_kept for c in self.claims)


ROWS: dict[str, Row] = {}


def row(
    id_: str, fault: str, promised: str, guard: Guard, *, rooms: int = 6
) -> Callable[[Measure], Measure]:
    """Enter a function into the matrix."""

    def enter(measure: Measure) -> Measure:
        ROWS[id_] = Row(id_, fault, promised, measure, guard, rooms)
        return measure

    return enter
