"""The cost of a message with two web processes, compared with one."""

from collections.abc import Collection

from infra.bench.contenders import PRODUCT
from infra.bench.goals import Found, Measured, times
from infra.bench.report import Sample
from infra.bench.sampling import cheapest, sample
from infra.bench.stage import Stage


async def measure(stage: Stage, wanted: Collection[str]) -> Found:  # noqa: ARG001 - one row
    """Return the ratio of CPU per message: two processes that share the clients, against one."""
    taken: dict[int, list[Sample]] = {1: [], 2: []}
    for number in range(stage.plan.rounds):
        for processes, samples in taken.items():
            stage.report(f"{processes} web process(es), round {number + 1}")
            samples.append(await sample(stage, PRODUCT, stage.plan.clients, processes=processes))
    one, two = (cheapest(samples).server_us or 0.0 for samples in taken.values())
    return {"two-processes": Measured(times(two, one), f"two {two:.2f} µs, one {one:.2f} µs")}
