"""The informative table: every server at few and at many clients."""

from dataclasses import replace

from infra.bench.contenders import ALL
from infra.bench.measures.fanout import compare
from infra.bench.report import Sample
from infra.bench.stage import Stage


async def measure(stage: Stage) -> None:
    """Add the samples to the stage's. A server that does not keep up gets an empty cell.

    One round: no goal hangs on it. What the fan-out rows have measured already is kept.
    """
    plan = stage.plan
    once = replace(stage, plan=replace(plan, rounds=1))
    for connections in (plan.few_clients, plan.clients, plan.many_clients):
        known = {s.server for s in stage.samples if s.connections == connections}
        missing = [server for server in ALL if server.name not in known]
        best, problems = await compare(once, missing, connections)
        stage.samples.extend(best.values())
        stage.samples.extend(Sample(name, connections, None) for name in problems)
