"""A row of the matrix: a fault, the promise, how it is measured, and the guard that keeps it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from realtime.tests.faults.fault_env import Lab

Measure = Callable[["Lab"], Awaitable[None]]
Amount = TypeVar("Amount", int, float)


@dataclass(frozen=True, slots=True)
class Sized(Generic[Amount]):
    """An amount or a duration: in the matrix, and in the short form that `make test` runs."""

    full: Amount
    short: Amount


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
    rooms: Sized[int]
    breaks_stores: bool  # a store of its stage is killed, frozen or filled: no row shares those


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

    def __str__(self) -> str:
        said = [f"{'' if c.is_kept else 'NOT '}{c.what}: {c.measured}" for c in self.claims]
        return "; ".join([*said, *([f"ERROR {self.error}"] if self.error else [])])


ROWS: dict[str, Row] = {}


def row(
    id_: str,
    fault: str,
    promised: str,
    guard: Guard,
    *,
    rooms: Sized[int] | int = 6,
    breaks_stores: bool = False,
) -> Callable[[Measure], Measure]:
    """Enter a function into the matrix."""
    sized = Sized(rooms, rooms) if isinstance(rooms, int) else rooms

    def enter(measure: Measure) -> Measure:
        ROWS[id_] = Row(id_, fault, promised, measure, guard, sized, breaks_stores)
        return measure

    return enter


def all_rows() -> list[Row]:
    """Return every row in the order of the report."""
    from realtime.tests.faults import rows  # noqa: F401 - they enter themselves

    return sorted(ROWS.values(), key=lambda row: (int(re.sub(r"\D", "", row.id)), row.id))
