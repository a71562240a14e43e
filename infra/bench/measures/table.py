"""The table without goals: every server with few and with many clients."""

from dataclasses import replace

from infra.bench.contenders import ALL
from infra.bench.measures.fanout import compare
from infra.bench.report import Sample
from infra.bench.stage import Stage


async def measure(stage: Stage) -> None:
    """Add samples to the stage. A server that does not deliver all frames gets an empty cell.

    One round is enough, because there are no goals. Samples of the fan-out rows are used again.
    """
    plan = stage.plan
    once = replace(stage, plan=replace(plan, rounds=1))
    for connections in (plan.few_clients, plan.clients, plan.many_clients):
        known = {s.server for s in stage.samples if s.connections == connections}
        missing = [server for server in ALL if server.name not in known]
        best, problems = await compare(once, missing, connections)
        stage.samples.extend(best.values())
        stage.samples.extend(Sample(name, connections, None) for name in problems)
