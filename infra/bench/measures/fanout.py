"""Fan-out: CPU per delivered message, compared with every peer, in interleaved rounds."""

from collections.abc import Collection, Iterable, Mapping
from math import inf

from infra.bench import contenders as c
from infra.bench.contenders import Contender
from infra.bench.goals import BenchError, Found, Measured, times
from infra.bench.report import Sample
from infra.bench.sampling import cheapest, sample
from infra.bench.stage import Stage

Pair = tuple[Contender, Contender]

# By row: the two servers whose costs are divided.
RATIOS: dict[str, Pair] = {
    "vs-naive": (c.NAIVE, c.PRODUCT),
    "plain-vs-naive": (c.NAIVE, c.PLAIN),
    "vs-broadcast": (c.PRODUCT, c.BROADCAST),
    "vs-broadcast-asyncio": (c.ON_ASYNCIO, c.BROADCAST_ASYNCIO),
    "vs-socketio": (c.PRODUCT, c.SOCKETIO),
    "vs-ws": (c.PRODUCT, c.NODE_WS),
    "vs-floor": (c.PRODUCT, c.FLOOR),
}
# The same with few clients: the fixed cost of a change exceeds the cost of its messages.
FEW_RATIOS: dict[str, Pair] = {
    "vs-naive-few": (c.NAIVE, c.PRODUCT),
    "vs-broadcast-few": (c.PRODUCT, c.BROADCAST),
    "vs-ws-few": (c.PRODUCT, c.NODE_WS),
}


async def measure(stage: Stage, wanted: Collection[str]) -> Found:
    """Return the ratio of each wanted row."""
    plan = stage.plan
    pairs = _wanted(RATIOS, wanted)
    best, problems = await compare(stage, _servers(pairs), plan.clients)
    stage.samples.extend(best.values())
    few_pairs = _wanted(FEW_RATIOS, wanted)
    # One rate for all: otherwise a faster server gets more changes and has warmer caches.
    few = await compare(stage, _servers(few_pairs), plan.few_clients, rate=plan.few_rate)
    return {
        **{key: _found(best, problems, *pair) for key, pair in pairs.items()},
        **{key: _found(*few, *pair) for key, pair in few_pairs.items()},
    }


def _wanted(pairs: Mapping[str, Pair], wanted: Collection[str]) -> dict[str, Pair]:
    return {key: pair for key, pair in pairs.items() if key in wanted}


def _servers(pairs: Mapping[str, Pair]) -> Iterable[Contender]:
    return {server.name: server for pair in pairs.values() for server in pair}.values()


async def compare(
    stage: Stage,
    servers: Iterable[Contender],
    connections: int,
    *,
    rooms: int = 1,
    rate: float = inf,
) -> tuple[dict[str, Sample], dict[str, BenchError]]:
    """Return the cheapest sample of each server, and the problem of each server without one.

    Each round measures all servers once, so that other load of the machine affects all of them.
    """
    servers = list(servers)
    taken: dict[str, list[Sample]] = {server.name: [] for server in servers}
    problems: dict[str, BenchError] = {}
    for number in range(stage.plan.rounds):
        for server in servers:
            stage.report(f"{server.name}, {connections:,} clients, round {number + 1}")
            try:
                one = await sample(stage, server, connections, rooms=rooms, rate=rate)
                taken[server.name].append(one)
            except BenchError as exc:
                problems[server.name] = exc
    best = {name: cheapest(samples) for name, samples in taken.items() if samples}
    return best, {name: exc for name, exc in problems.items() if name not in best}


def ratio(above: Sample, below: Sample) -> Measured:
    """Return the ratio of the costs of a message with two servers."""
    dear, cheap = above.server_us or 0.0, below.server_us or 0.0
    return Measured(
        times(dear, cheap),
        f"{above.server} {dear:.2f} µs, {below.server} {cheap:.2f} µs",
    )


def _found(
    best: Mapping[str, Sample], problems: Mapping[str, BenchError], above: Contender,
    below: Contender,
) -> Measured | BenchError:  # fmt: skip
    problem = problems.get(above.name) or problems.get(below.name)
    return problem or ratio(best[above.name], best[below.name])
