"""Measure product and reference alternately, and compare their values."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from infra.bench.goals import Measured, times
from infra.bench.stage import Stage

_T = TypeVar("_T")
Reduce = Callable[[Sequence[float]], float]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two servers of a ratio, with one value for each round."""

    name: str
    figures: Sequence[float]


async def in_turns(
    stage: Stage, what: str, sides: Mapping[str, Callable[[], Awaitable[_T]]]
) -> dict[str, list[_T]]:
    """Measure every side once in each round; return the results of all rounds by side.

    So other load of the machine affects all sides.
    """
    taken: dict[str, list[_T]] = {name: [] for name in sides}
    for number in range(stage.plan.rounds):
        for name, measure in sides.items():
            stage.report(f"{name}, {what}, round {number + 1}")
            taken[name].append(await measure())
    return taken


def compared(product: Side, reference: Side, unit: str, reduce: Reduce, note: str = "") -> Measured:
    """Return the ratio of the reduced values of the two sides; the details have all values.

    Raises BenchError if the reduced value of the reference is not positive.
    """
    value = times(reduce(product.figures), reduce(reference.figures))
    detail = f"{_listed(product, unit, reduce)}; {_listed(reference, unit, reduce)}"
    return Measured(value, f"{detail}; {note}" if note else detail)


def _listed(side: Side, unit: str, reduce: Reduce) -> str:
    text = f"{side.name} {_worded(reduce(side.figures))} {unit}"
    if len(side.figures) == 1:
        return text
    return f"{text} (rounds {', '.join(map(_worded, side.figures))})"


def _worded(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}"
