"""Memory and CPU of a connection that receives its snapshot and no changes."""

from collections.abc import Collection, Sequence
from functools import partial

from infra.bench.contenders import PRODUCT, Contender
from infra.bench.estate import Estate
from infra.bench.goals import Found, Measured
from infra.bench.load import connected
from infra.bench.references import JOINED
from infra.bench.stage import Stage
from infra.bench.turns import Side, compared, in_turns


async def measure(stage: Stage, wanted: Collection[str]) -> Found:
    """Return KB per connection, and its CPU compared with naive Channels; the least of all rounds.

    A first set of clients warms up the process (imports, pools, caches), a second set is measured.
    """
    sides = {one.name: partial(_round, stage, one) for one in (PRODUCT, JOINED)}
    taken = await in_turns(stage, f"{stage.plan.clients:,} connections", sides)
    product, reference = (Side(name, [us for _, us in rounds]) for name, rounds in taken.items())
    own_kb, naive_kb = ([kb for kb, _ in rounds] for rounds in taken.values())
    found: Found = {
        "connection-memory": Measured(
            min(own_kb), f"rounds {_listed(own_kb)}; {JOINED.name} {min(naive_kb):.1f} KB"
        ),
        "connection-cpu": compared(product, reference, "µs", min),
    }
    return {key: value for key, value in found.items() if key in wanted}


async def _round(stage: Stage, server: Contender) -> tuple[float, float]:
    """Return KB and µs of CPU per connection. Both servers send the states of the product."""
    plan, estate = stage.plan, Estate(1)
    async with (
        PRODUCT.open_feed(stage, estate),
        server.running(stage) as (process, port),
        connected(stage, server.crowd(port, plan.few_clients, estate, stage.token)),
    ):
        kb, cpu_s = process.memory_kb, process.cpu_s
        async with connected(stage, server.crowd(port, plan.clients, estate, stage.token)):
            return (
                (process.memory_kb - kb) / plan.clients,
                (process.cpu_s - cpu_s) / plan.clients * 1e6,
            )


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)
