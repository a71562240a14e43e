"""One sample: start a server, connect clients, send changes, and read the CPU time."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from math import inf

from infra.bench.children import Child
from infra.bench.contenders import Contender
from infra.bench.estate import Estate
from infra.bench.feeds import Feed
from infra.bench.goals import BenchError
from infra.bench.load import POLL_S, Load, connected
from infra.bench.report import Sample
from infra.bench.stage import Stage

ARRIVAL_TIMEOUT_S = 30.0
WARM_UPS = 3
WARM_UP_TRIES = 10
QUIET_S = 1.0


async def sample(
    stage: Stage,
    contender: Contender,
    connections: int,
    *,
    rooms: int = 1,
    processes: int = 1,
    rate: float = inf,
) -> Sample:
    """Return the cost of one message; each wave is sent after the previous one has arrived.

    A wave is one change of each of `rooms` at once; at most `rate` waves are sent per second.
    Several processes share the clients equally.
    """
    estate = Estate(rooms)
    async with AsyncExitStack() as stack:
        feed = await stack.enter_async_context(contender.open_feed(stage, estate))
        servers, loads = [], []
        for _ in range(processes):
            server, port = await stack.enter_async_context(contender.running(stage))
            crowd = contender.crowd(port, connections // processes, estate, stage.token)
            loads.append(await stack.enter_async_context(connected(stage, crowd)))
            servers.append(server)
        await warm_up(feed, loads)
        waves = await measure_waves(
            stage, contender.name, feed, servers, loads, list(range(rooms)), rate=rate
        )
        messages = waves.count * rooms * connections
        return Sample(
            server=contender.name,
            connections=connections,
            server_us=waves.server_s / messages * 1e6,
            client_us=waves.client_s / messages * 1e6,
            messages=messages,
        )


async def warm_up(feed: Feed, loads: Sequence[Load]) -> None:
    """Send changes until WARM_UPS of them have reached every client.

    Some servers accept clients before the clients can receive changes. After an incomplete wave,
    wait until no frame arrives any more, because a late frame would count for the next wave. Raises
    BenchError if too few changes reach every client.
    """
    clients = sum(load.crowd.connections for load in loads)
    complete = 0
    for _ in range(WARM_UP_TRIES):
        wanted = _arrived(loads) + clients
        await feed.change([0])
        while not await _until(loads, wanted, QUIET_S):
            before = _arrived(loads)
            await asyncio.sleep(QUIET_S)
            if _arrived(loads) == before:
                break
        complete += _arrived(loads) == wanted
        if complete == WARM_UPS:
            return
    raise BenchError(f"Only {complete} of {WARM_UP_TRIES} changes reached every client.")


@dataclass(frozen=True, slots=True)
class Waves:
    """The CPU time of a number of waves, in seconds."""

    count: int
    server_s: float
    client_s: float


async def measure_waves(
    stage: Stage,
    name: str,
    feed: Feed,
    servers: Sequence[Child],
    loads: Sequence[Load],
    wave: Sequence[int],
    *,
    rate: float = inf,
) -> Waves:
    """Send waves for the time of the plan, each after the previous one has reached all clients.

    At most `rate` waves are sent per second. Raises BenchError if a wave does not arrive.
    """
    clients = sum(load.crowd.connections for load in loads)
    count, expected = 0, _arrived(loads)
    server_s, client_s = _cpu_s(servers), _cpu_s(load.child for load in loads)
    begun = time.monotonic()
    while count < stage.plan.min_updates or time.monotonic() < begun + stage.plan.sample_s:
        await asyncio.sleep(max(0.0, begun + count / rate - time.monotonic()))
        await feed.change(wave)
        count += 1
        expected += len(wave) * clients
        if not await _until(loads, expected, ARRIVAL_TIMEOUT_S):
            raise BenchError(
                f"{name}: {expected - _arrived(loads):,} of {len(wave) * clients:,} frames of a "
                f"wave had not arrived after {ARRIVAL_TIMEOUT_S:.0f} s."
            )
    return Waves(
        count,
        _cpu_s(servers) - server_s,
        _cpu_s(load.child for load in loads) - client_s,
    )


def cheapest(samples: Iterable[Sample]) -> Sample:
    """Return the sample with the least cost: other load can only add cost."""
    return min(samples, key=lambda s: s.server_us if s.server_us is not None else float("inf"))


def _arrived(loads: Sequence[Load]) -> int:
    return sum(load.rooms for load in loads)


async def _until(loads: Sequence[Load], wanted: int, timeout_s: float) -> bool:
    """Wait for this total number of frames; return False on a time-out."""
    deadline = time.monotonic() + timeout_s
    while _arrived(loads) < wanted:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True


def _cpu_s(children: Iterable[Child]) -> float:
    return sum(child.cpu_s for child in children)
