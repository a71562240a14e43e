"""Product and reference in turns, and what their figures give."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from infra.bench.goals import Measured, times
from infra.bench.stage import Stage

_T = TypeVar("_T")
Reduce = Callable[[Sequence[float]], float]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two servers of a ratio, with one figure for each round."""

    name: str
    figures: Sequence[float]


async def in_turns(
    stage: Stage, what: str, sides: Mapping[str, Callable[[], Awaitable[_T]]]
) -> dict[str, list[_T]]:
    """Measure every side once before any side is measured again; return the results by side.

    A noisy minute of the machine then falls on all sides.
    """
    taken: dict[str, list[_T]] = {name: [] for name in sides}
    for number in range(stage.plan.rounds):
        for name, measure in sides.items():
            stage.report(f"{name}, {what}, round {number + 1}")
            taken[name].append(await measure())
    return taken


def compared(product: Side, reference: Side, unit: str, reduce: Reduce, note: str = "") -> Measured:
    """Return the ratio of the two sides' reduced figures, with the absolute ones as detail.

    Raises BenchError if the reference has no figure above zero.
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
