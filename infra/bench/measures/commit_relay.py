"""The reference of `commit`: the same row, NOTIFY, LISTEN and `websockets.broadcast`."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime

import psycopg

from infra.bench.estate import Estate
from infra.bench.goals import BenchError
from infra.bench.lags import percentile_ms
from infra.bench.load import Crowd, connected
from infra.bench.raw_bookings import INSERT, raw_table, values_of
from infra.bench.references import RELAY, RELAY_CHANNEL
from infra.bench.stage import Stage

NOTIFY = "SELECT pg_notify(%s, %s)"
ARRIVAL_TIMEOUT_S = 30.0


async def relay_round(
    stage: Stage, rooms: Sequence[int], slot: tuple[datetime, datetime]
) -> tuple[float, float]:
    """Write a row for each room at the rate of the plan; return p50 and p99 of the lags in ms.

    One transaction commits a row and its notification, which carries the frame of the product. A
    lag counts from just before the transaction. Raises BenchError if a frame does not arrive.
    """
    plan = stage.plan
    estates = [Estate(1, f"bench-relay-{n}") for n in range(plan.commit_buildings)]
    topics = [str(estate.topic) for estate in estates]
    audience = plan.clients // plan.commit_buildings
    url = stage.environment["DATABASE_URL"]
    with raw_table(url):
        async with RELAY.running(stage) as (_, port):
            crowd = Crowd(port, plan.clients, token=stage.token, topics=topics)
            async with (
                connected(stage, crowd) as load,
                await psycopg.AsyncConnection.connect(url, autocommit=True) as connection,
            ):
                await load.forget()
                expected = load.rooms + audience * len(rooms)
                begun = time.monotonic()
                for n, room in enumerate(rooms):
                    await asyncio.sleep(max(0.0, begun + n / plan.commit_rate - time.monotonic()))
                    estate = estates[n % len(estates)]
                    text = estate.text(estate.change(0))
                    async with connection.transaction():
                        await connection.execute(INSERT, values_of(room, *slot))
                        await connection.execute(NOTIFY, (RELAY_CHANNEL, f"{estate.topic} {text}"))
                if not await load.until_rooms(expected, ARRIVAL_TIMEOUT_S):
                    raise BenchError(
                        f"{expected - load.rooms:,} frames of the relay did not arrive."
                    )
                lags = load.lags()
    return percentile_ms(lags, 0.5), percentile_ms(lags, 0.99)
