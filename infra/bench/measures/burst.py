"""A burst: many rooms change at the same time, as at the full hour."""

from collections.abc import Collection

from infra.bench.contenders import BROADCAST, PRODUCT
from infra.bench.goals import Found
from infra.bench.measures.fanout import compare, ratio
from infra.bench.stage import Stage


async def measure(stage: Stage, wanted: Collection[str]) -> Found:  # noqa: ARG001 - one row
    """Return how many times cheaper a message of a burst is than with `websockets.broadcast`."""
    plan = stage.plan
    best, problems = await compare(
        stage, (PRODUCT, BROADCAST), plan.clients, rooms=plan.burst_rooms
    )
    for problem in problems.values():
        raise problem
    return {"burst": ratio(best[BROADCAST.name], best[PRODUCT.name])}
