"""Product and reference: the order of the measurements, and their text in the table."""

import asyncio
import statistics
from pathlib import Path

import pytest

from infra.bench.goals import BenchError
from infra.bench.plan import Plan
from infra.bench.stage import Stage
from infra.bench.turns import Side, compared, in_turns


def test_ratio__of_two_sides__is_that_of_their_reduced_values():
    product, reference = Side("product", [30.0, 10.0, 20.0]), Side("peer", [4.0, 5.0, 9.0])
    assert compared(product, reference, "ms", min).value == 10 / 4
    assert compared(product, reference, "ms", statistics.median).value == 20 / 5


def test_detail__of_a_ratio__has_the_absolute_figures_of_every_round():
    measured = compared(Side("product", [30.0, 10.04]), Side("peer", [1234.5]), "ms", min, "p50 2")
    assert measured.detail == "product 10.0 ms (rounds 30.0, 10.0); peer 1,234 ms; p50 2"


def test_ratio__to_a_reference_without_cost__cannot_be_measured():
    with pytest.raises(BenchError, match="Measure for longer"):
        compared(Side("product", [1.0]), Side("peer", [0.0]), "µs", min)


def test_sides__over_the_rounds__are_interleaved():
    order: list[str] = []
    reported: list[str] = []
    stage = Stage(Plan(rounds=2), Path(), Path(), {}, reported.append)

    def side(name: str):
        async def measure() -> int:
            order.append(name)
            return len(order)

        return measure

    sides = {"product": side("product"), "peer": side("peer")}
    taken = asyncio.run(in_turns(stage, "5 requests", sides))
    assert order == ["product", "peer", "product", "peer"]
    assert taken == {"product": [1, 3], "peer": [2, 4]}
    assert reported[0] == "product, 5 requests, round 1"
