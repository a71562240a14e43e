"""Memory and CPU of a connection that receives its snapshot and no changes."""

from collections.abc import Collection

from infra.bench.contenders import PRODUCT
from infra.bench.estate import Estate
from infra.bench.goals import Found, Measured
from infra.bench.load import connected
from infra.bench.stage import Stage


async def measure(stage: Stage, wanted: Collection[str]) -> Found:
    """Return KB and µs per connection, the least of all rounds.

    A first set of clients warms up the process (imports, pools, caches), a second set is measured.
    """
    memory, cpu = [], []
    for number in range(stage.plan.rounds):
        stage.report(f"{stage.plan.clients:,} connections, round {number + 1}")
        kb, us = await _round(stage)
        memory.append(kb)
        cpu.append(us)
    found: Found = {
        "connection-memory": Measured(min(memory), f"rounds {_listed(memory)}"),
        "connection-cpu": Measured(min(cpu), f"rounds {_listed(cpu)}"),
    }
    return {key: value for key, value in found.items() if key in wanted}


async def _round(stage: Stage) -> tuple[float, float]:
    plan, estate = stage.plan, Estate(1)
    async with (
        PRODUCT.open_feed(stage, estate),
        PRODUCT.running(stage) as (server, port),
        connected(stage, PRODUCT.crowd(port, plan.few_clients, estate, stage.token)),
    ):
        kb, cpu_s = server.memory_kb, server.cpu_s
        async with connected(stage, PRODUCT.crowd(port, plan.clients, estate, stage.token)):
            return (
                (server.memory_kb - kb) / plan.clients,
                (server.cpu_s - cpu_s) / plan.clients * 1e6,
            )


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)
