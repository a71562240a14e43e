"""Latency: the time from the creation of a state to its arrival at every client."""

import asyncio
import statistics
from collections.abc import Collection

from infra.bench.contenders import PRODUCT
from infra.bench.estate import Estate
from infra.bench.feeds import Feed
from infra.bench.goals import Found, Measured
from infra.bench.lags import percentile_ms
from infra.bench.load import connected
from infra.bench.sampling import warm_up
from infra.bench.stage import Stage

ROOMS = 16
LAST_ARRIVALS_S = 10.0


async def measure(stage: Stage, wanted: Collection[str]) -> Found:
    """Return p99 at both sizes, as the median of the rounds."""
    plan = stage.plan
    sizes = {"latency": (plan.clients, 8.0), "latency-many": (plan.many_clients, 2.0)}
    return {key: await _measure(stage, *sizes[key]) for key in sizes if key in wanted}


async def _measure(stage: Stage, clients: int, rate: float) -> Measured:
    rounds = []
    for number in range(stage.plan.rounds):
        stage.report(f"{clients:,} clients, {rate:.0f} updates/s, round {number + 1}")
        rounds.append(await _round(stage, clients, rate))
    p50s, p99s, shares = zip(*rounds, strict=True)
    detail = f"p50 {statistics.median(p50s):.1f} ms, worst p99 {max(p99s):.1f} ms"
    if min(shares) < 1:
        detail += f", {1 - min(shares):.1%} replaced by newer frames or lost"
    return Measured(statistics.median(p99s), detail)


async def _round(stage: Stage, clients: int, rate: float) -> tuple[float, float, float]:
    """Return p50 and p99 in ms, and the share of frames that arrived."""
    estate = Estate(ROOMS)
    async with (
        PRODUCT.open_feed(stage, estate) as feed,
        PRODUCT.running(stage) as (_, port),
        connected(stage, PRODUCT.crowd(port, clients, estate, stage.token)) as load,
    ):
        await warm_up(feed, [load])
        await load.forget()
        before = load.rooms
        sent = await _send_evenly(feed, rate, stage.plan.latency_s)
        await load.until_rooms(before + sent * clients, LAST_ARRIVALS_S)
        lags = load.lags()
        return (
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
