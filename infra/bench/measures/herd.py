"""The herd: all clients connect and subscribe at the same instant, as after a restart."""

from collections.abc import Collection
from dataclasses import replace

from infra.bench.contenders import PRODUCT
from infra.bench.estate import Estate
from infra.bench.goals import Found, Measured
from infra.bench.load import connecting
from infra.bench.stage import Stage

TIMEOUT_S = 60.0


async def measure(stage: Stage, wanted: Collection[str]) -> Found:
    """Return the slowest round, because the limit must hold in every round."""
    times, lost = [], []
    for number in range(stage.plan.rounds):
        stage.report(f"herd of {stage.plan.clients:,}, round {number + 1}")
        seconds, missing = await _round(stage)
        times.append(seconds)
        lost.append(missing)
    listed = ", ".join(f"{s:.1f}" for s in times)
    found: Found = {
        "herd": Measured(max(times), f"rounds {listed} s, {stage.plan.herd_rooms} rooms each"),
        "herd-failed": Measured(max(lost)),
    }
    return {key: value for key, value in found.items() if key in wanted}


async def _round(stage: Stage) -> tuple[float, int]:
    plan, estate = stage.plan, Estate(stage.plan.herd_rooms)
    async with PRODUCT.open_feed(stage, estate), PRODUCT.running(stage) as (_, port):
        crowd = PRODUCT.crowd(port, plan.clients, estate, stage.token)
        async with connecting(stage, replace(crowd, ramp=plan.clients)) as load:
            if await load.until_ready(TIMEOUT_S):
                return load.connected_in_s, load.lost
            return TIMEOUT_S, plan.clients - load.ready
