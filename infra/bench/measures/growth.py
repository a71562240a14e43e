"""Growth: the cost of one change for the web process, in a small and in a large building."""

import asyncio
from collections.abc import Collection
from dataclasses import replace

from infra.bench.contenders import PRODUCT
from infra.bench.estate import Estate
from infra.bench.goals import Found, Measured, times
from infra.bench.load import connected
from infra.bench.sampling import measure_waves, warm_up
from infra.bench.stage import Stage

IDLE_S = 3.0
RAMP = 2  # connections at a time: a snapshot of 5,000 rooms has megabytes


async def measure(stage: Stage, wanted: Collection[str]) -> Found:  # noqa: ARG001 - one row
    """Return the ratio of the least costs, in µs per change with all its subscribers.

    The costs include comparisons and heartbeats; the details show their cost without changes.
    """
    plan = stage.plan
    taken: dict[int, list[tuple[float, float]]] = {plan.small_estate: [], plan.large_estate: []}
    for number in range(plan.rounds):
        for rooms, costs in taken.items():
            stage.report(f"{rooms:,} rooms, round {number + 1}")
            costs.append(await _round(stage, rooms))
    (small, small_idle), (large, large_idle) = (min(costs) for costs in taken.values())
    return {
        "growth": Measured(
            times(large, small),
            f"{large:.0f} µs and {small:.0f} µs a change; idle {large_idle:.1%} and "
            f"{small_idle:.1%} of a core",
        )
    }


async def _round(stage: Stage, rooms: int) -> tuple[float, float]:
    """Return µs per change, and the share of a core used without changes."""
    estate = Estate(rooms)
    async with PRODUCT.open_feed(stage, estate) as feed, PRODUCT.running(stage) as (server, port):
        crowd = PRODUCT.crowd(port, stage.plan.watchers, estate, stage.token)
        async with connected(stage, replace(crowd, ramp=RAMP)) as load:
            await warm_up(feed, [load])
            cpu_s = server.cpu_s
            await asyncio.sleep(IDLE_S)
            idle = (server.cpu_s - cpu_s) / IDLE_S
            waves = await measure_waves(stage, PRODUCT.name, feed, [server], [load], [0])
            return waves.server_s / waves.count * 1e6, idle
