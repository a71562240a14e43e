"""A row of the matrix: a fault, the guarantee, its measurement, and the guard that ensures it."""

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
    """The cause of a guarantee, and how a run removes it: patches by process, or in the driver."""

    what: str
    web: tuple[str, ...] = ()
    worker: tuple[str, ...] = ()
    driver: str = ""  # the row itself, or the client, reads this name


NO_GUARD = Guard("")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report."""

    id: str
    fault: str
    guarantee: str
    measure: Measure
    guard: Guard
    rooms: Sized[int]
    breaks_stores: bool  # kills, freezes or fills a store of its environment: no row shares those


@dataclass(frozen=True, slots=True)
class Claim:
    """One measurement, and whether its result is as guaranteed."""

    what: str
    measured: str
    is_kept: bool


@dataclass
class Outcome:
    """The result of one run of a row."""

    claims: list[Claim] = field(default_factory=list)
    error: str = ""

    @property
    def is_kept(self) -> bool:
        return bool(self.claims) and not self.error and all(c.is_kept for c in self.claims)

    def __str__(self) -> str:
        parts = [f"{'' if c.is_kept else 'NOT '}{c.what}: {c.measured}" for c in self.claims]
        return "; ".join([*parts, *([f"ERROR {self.error}"] if self.error else [])])


ROWS: dict[str, Row] = {}


def row(
    id_: str,
    fault: str,
    guarantee: str,
    guard: Guard,
    *,
    rooms: Sized[int] | int = 6,
    breaks_stores: bool = False,
) -> Callable[[Measure], Measure]:
    """Return a decorator that adds a function to the matrix."""
    sized = Sized(rooms, rooms) if isinstance(rooms, int) else rooms

    def enter(measure: Measure) -> Measure:
        ROWS[id_] = Row(id_, fault, guarantee, measure, guard, sized, breaks_stores)
        return measure

    return enter


def all_rows() -> list[Row]:
    """Return every row in the order of the report."""
    from realtime.tests.faults import rows  # noqa: F401 - they enter themselves

    return sorted(ROWS.values(), key=lambda row: (int(re.sub(r"\D", "", row.id)), row.id))
