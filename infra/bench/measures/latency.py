"""Latency: the time from the creation of a state to its arrival at every client."""

import asyncio
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from infra.bench.contenders import BROADCAST, PRODUCT, Contender
from infra.bench.estate import Estate
from infra.bench.feeds import Feed
from infra.bench.goals import Found, Measured
from infra.bench.lags import percentile_ms
from infra.bench.load import connected
from infra.bench.sampling import warm_up
from infra.bench.stage import Stage
from infra.bench.turns import Side, compared, in_turns

ROOMS = 16
LAST_ARRIVALS_S = 10.0


@dataclass(frozen=True, slots=True)
class _Lags:
    """The lags of one round. `share` is the share of the sent frames that arrived, 0 to 1."""

    p50_ms: float
    p99_ms: float
    share: float


async def measure(stage: Stage, wanted: Collection[str]) -> Found:
    """Return p99 at both sizes, compared with `websockets.broadcast`.

    The median of the rounds counts, because lags are not sums of work.
    """
    plan = stage.plan
    sizes = {"latency": (plan.clients, 8.0), "latency-many": (plan.many_clients, 2.0)}
    return {key: await _measure(stage, *sizes[key]) for key in sizes if key in wanted}


async def _measure(stage: Stage, clients: int, rate: float) -> Measured:
    servers = (PRODUCT, BROADCAST)
    sides = {one.name: partial(_round, stage, one, clients, rate) for one in servers}
    taken = await in_turns(stage, f"{clients:,} clients, {rate:.0f} updates/s", sides)
    own, peers = taken.values()
    note = f"p50 {_median_p50(own):.1f} and {_median_p50(peers):.1f} ms"
    if (share := min(one.share for one in own)) < 1:
        note += f"; {1 - share:.1%} replaced or lost"
    product, reference = (
        Side(name, [one.p99_ms for one in rounds]) for name, rounds in taken.items()
    )
    return compared(product, reference, "ms", statistics.median, note)


def _median_p50(rounds: Sequence[_Lags]) -> float:
    return statistics.median(one.p50_ms for one in rounds)


async def _round(stage: Stage, server: Contender, clients: int, rate: float) -> _Lags:
    estate = Estate(ROOMS)
    async with (
        server.open_feed(stage, estate) as feed,
        server.running(stage) as (_, port),
        connected(stage, server.crowd(port, clients, estate, stage.token)) as load,
    ):
        await warm_up(feed, [load])
        await load.forget()
        before = load.rooms
        sent = await _send_evenly(feed, rate, stage.plan.latency_s)
        await load.until_rooms(before + sent * clients, LAST_ARRIVALS_S)
        lags = load.lags()
        return _Lags(
            percentile_ms(lags, 0.5),
            percentile_ms(lags, 0.99),
            (load.rooms - before) / (sent * clients),
        )


async def _send_evenly(feed: Feed, rate: float, duration_s: float) -> int:
    """Change one room at a time at this rate, without waiting for arrivals."""
    loop = asyncio.get_running_loop()
    begun, count = loop.time(), int(rate * duration_s)
    for n in range(count):
        await asyncio.sleep(max(0.0, begun + n / rate - loop.time()))
        await feed.change([n % ROOMS])
    return count
