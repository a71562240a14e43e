"""Rows, goals and measured values. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class BenchError(Exception):
    """A row could not be measured; the text says why or what to do."""


class Bound(StrEnum):
    """Whether the number of a goal is a maximum or a minimum."""

    AT_MOST = "≤"
    AT_LEAST = "≥"


@dataclass(frozen=True, slots=True)
class Goal:
    """A maximum or minimum for a measured value."""

    bound: Bound
    number: float
    unit: str

    def is_met_by(self, value: float) -> bool:
        """Return whether a value meets the goal; a value equal to the number does."""
        return value <= self.number if self.bound is Bound.AT_MOST else value >= self.number

    def __str__(self) -> str:
        return f"{self.bound} {worded(self.number, self.unit)}"


def at_most(number: float, unit: str) -> Goal:
    """Return the goal of a maximum."""
    return Goal(Bound.AT_MOST, number, unit)


def at_least(number: float, unit: str) -> Goal:
    """Return the goal of a minimum."""
    return Goal(Bound.AT_LEAST, number, unit)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `key` is its name for `--rows`."""

    key: str
    title: str
    goal: Goal


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured value, in the unit of the row's goal, and its details."""

    value: float
    detail: str = ""


# By key of the row: the measured value, or the reason why there is none.
Found = dict[str, Measured | BenchError]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row with its measured value, or with the problem that prevented one."""

    row: Row
    measured: Measured | None = None
    problem: str = ""

    @property
    def is_met(self) -> bool:
        """Return whether the goal is met; False without a measured value."""
        return self.measured is not None and self.row.goal.is_met_by(self.measured.value)


def times(above: float, below: float) -> float:
    """Return above / below. Raises BenchError if `below` is not positive."""
    if below <= 0:
        raise BenchError("The measured value of one of the two servers is 0. Measure for longer.")
    return above / below


def worded(number: float, unit: str) -> str:
    """Return a number with about three digits, followed by its unit."""
    if number >= 100 or number == int(number):
        digits = f"{number:,.0f}"
    else:
        digits = f"{number:.2f}" if abs(number) < 10 else f"{number:.1f}"
    return digits + (unit if unit == "×" else f" {unit}" if unit else "")


def exit_code(outcomes: list[Outcome], *, is_strict: bool) -> int:
    """Return 1 if a row was not measured, 2 if strict and a goal is not met, else 0."""
    if any(outcome.measured is None for outcome in outcomes):
        return 1
    return 2 if is_strict and not all(outcome.is_met for outcome in outcomes) else 0
