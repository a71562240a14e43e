"""Rows, goals and what was measured. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class BenchError(Exception):
    """Something could not be measured; the text says what to do or what was seen."""


class Bound(StrEnum):
    """On which side of its number a goal is met."""

    AT_MOST = "≤"
    AT_LEAST = "≥"


@dataclass(frozen=True, slots=True)
class Goal:
    """A number not to be passed."""

    bound: Bound
    number: float
    unit: str

    def is_met_by(self, value: float) -> bool:
        """Say whether a measured value meets the goal; the number itself does."""
        return value <= self.number if self.bound is Bound.AT_MOST else value >= self.number

    def __str__(self) -> str:
        return f"{self.bound} {worded(self.number, self.unit)}"


def at_most(number: float, unit: str) -> Goal:
    """Return a ceiling."""
    return Goal(Bound.AT_MOST, number, unit)


def at_least(number: float, unit: str) -> Goal:
    """Return a floor."""
    return Goal(Bound.AT_LEAST, number, unit)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `key` is its name for `--rows`."""

    key: str
    title: str
    goal: Goal


@dataclass(frozen=True, slots=True)
class Measured:
    """A value in the unit of its row's goal, and what it was made of."""

    value: float
    detail: str = ""


# By key of a row: what was measured, or why it was not.
Found = dict[str, Measured | BenchError]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row with what was measured, or why nothing was."""

    row: Row
    measured: Measured | None = None
    problem: str = ""

    @property
    def is_met(self) -> bool:
        """Say whether the goal is met. What could not be measured is not met."""
        return self.measured is not None and self.row.goal.is_met_by(self.measured.value)


def times(above: float, below: float) -> float:
    """Return above / below. Raises BenchError if there is nothing to divide by."""
    if below <= 0:
        raise BenchError("One of the two used nothing that could be measured: sample for longer.")
    return above / below


def worded(number: float, unit: str) -> str:
    """Return a number with about three digits and its unit."""
    if number >= 100 or number == int(number):
        digits = f"{number:,.0f}"
    else:
        digits = f"{number:.2f}" if abs(number) < 10 else f"{number:.1f}"
    return digits + (unit if unit == "×" else f" {unit}" if unit else "")


def exit_code(outcomes: list[Outcome], *, is_strict: bool) -> int:
    """Return 0 if all was measured, 1 if not, and 2 for an unmet goal if that is to count."""
    if any(outcome.measured is None for outcome in outcomes):
        return 1
    return 2 if is_strict and not all(outcome.is_met for outcome in outcomes) else 0
