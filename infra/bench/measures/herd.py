"""The herd: all clients connect and subscribe at the same instant, as after a restart."""

import statistics
from collections.abc import Collection
from dataclasses import replace
from functools import partial

from infra.bench.contenders import PRODUCT, Contender
from infra.bench.estate import Estate
from infra.bench.goals import Found, Measured
from infra.bench.load import connecting
from infra.bench.references import SNAPSHOTS, snapshot_file
from infra.bench.stage import Stage
from infra.bench.turns import Side, compared, in_turns

TIMEOUT_S = 60.0


async def measure(stage: Stage, wanted: Collection[str]) -> Found:
    """Return the time for all clients, compared with a `websockets` server and the same snapshot.

    The median time counts, and the most lost clients, because no round may lose a client.
    """
    plan = stage.plan
    sides = {one.name: partial(_round, stage, one) for one in (PRODUCT, SNAPSHOTS)}
    taken = await in_turns(stage, f"herd of {plan.clients:,}", sides)
    product, reference = (Side(name, [ms for ms, _ in rounds]) for name, rounds in taken.items())
    note = f"{plan.herd_rooms} rooms each"
    found: Found = {
        "herd": compared(product, reference, "ms", statistics.median, note),
        "herd-failed": Measured(max(lost for _, lost in taken[PRODUCT.name])),
    }
    return {key: value for key, value in found.items() if key in wanted}


async def _round(stage: Stage, server: Contender) -> tuple[float, int]:
    """Return the ms until all clients have a snapshot, and the number of clients without one."""
    plan, estate = stage.plan, Estate(stage.plan.herd_rooms)
    snapshot_file(stage).write_text(estate.snapshot())
    async with PRODUCT.open_feed(stage, estate), server.running(stage) as (_, port):
        crowd = server.crowd(port, plan.clients, estate, stage.token)
        async with connecting(stage, replace(crowd, ramp=plan.clients)) as load:
            if await load.until_ready(TIMEOUT_S):
                return load.connected_in_s * 1000, load.lost
            return TIMEOUT_S * 1000, plan.clients - load.ready
