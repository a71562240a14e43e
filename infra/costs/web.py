"""The cost of frames and connections in a web process, and in nginx before it."""

import asyncio
import time
from dataclasses import replace

from infra.bench.children import Child, free_port, listening
from infra.bench.contenders import PRODUCT
from infra.bench.estate import Estate
from infra.bench.load import connected
from infra.bench.sampling import cheapest, measure_waves, sample, warm_up
from infra.bench.stage import Stage
from infra.costs.meters import Cost, Family, since, spent
from infra.nginx.rendered import running
from realtime.protocol import messages

ROUNDS = 3
CROWDS = (100, 1000, 5000)
SETTLE_S, IDLE_S = 5.0, 12.0  # IDLE_S: three heartbeats
BIG, SMALL, CHANGES = 5000, 1000, 1000


async def fan_out(stage: Stage) -> list[Cost]:
    """Measure one change to all clients: CPU per frame and connection, by number of clients."""
    costs = []
    for clients in CROWDS:
        taken = []
        for number in range(ROUNDS):
            stage.report(f"fan-out to {clients}, round {number + 1}")
            taken.append(await sample(stage, PRODUCT, clients))
        best = cheapest(taken)
        how = f"least of {ROUNDS} rounds, {best.messages:,} frames, web process alone"
        costs.append(Cost(f"frame to one of {clients:,}", best.server_us or 0, "µs", how))
    estate = Estate(1)
    frame = len(estate.text(estate.change(0)).encode())
    return [*costs, Cost("room frame for programs (JSON)", frame, "bytes", "length in UTF-8")]


async def connections(stage: Stage) -> list[Cost]:
    """Measure a connection: opening, memory, and keeping it alive without changes."""
    estate = Estate(1)
    async with PRODUCT.open_feed(stage, estate), PRODUCT.running(stage) as (web, port):
        stage.report(f"{BIG} connections")
        async with connected(stage, PRODUCT.crowd(port, 1, estate, stage.token)):
            alone_s, alone_kb = await _idle_s(web), web.memory_kb
            async with connected(stage, PRODUCT.crowd(port, SMALL, estate, stage.token)):
                kb, cpu_s = web.memory_kb, web.cpu_s
                async with connected(stage, PRODUCT.crowd(port, BIG, estate, stage.token)):
                    opened_us = (web.cpu_s - cpu_s) / BIG * 1e6
                    held_kb = (web.memory_kb - kb) / BIG
                    all_s = await _idle_s(web)
    beats = IDLE_S / messages.HEARTBEAT_S
    how = f"{BIG:,} more beside {SMALL:,}"
    return [
        Cost("connection opened with a token", opened_us, "µs", f"snapshot included, {how}"),
        Cost("connection held", held_kb, "KB", f"resident memory, {how}"),
        Cost("web process, 1 connection, 1 room", alone_kb / 1024, "MB", "resident memory"),
        Cost("the same, idle", alone_s / IDLE_S * 1e6, "µs/s", f"{IDLE_S:.0f} s"),
        Cost(
            "connection kept alive", (all_s - alone_s) / (BIG + SMALL) / IDLE_S * 1e6, "µs/s",
            f"{BIG + SMALL:,} idle ones against one, {IDLE_S:.0f} s, {beats:.0f} heartbeats",
        ),
    ]  # fmt: skip


async def rooms(stage: Stage) -> list[Cost]:
    """Measure the cost of rooms, and of changes of rooms, that no screen of the process shows.

    The process has one connection, which follows another room, and receives 1,000 changes.
    """
    few, many = Estate(SMALL), Estate(BIG)
    kb: list[float] = []
    for estate in (few, many):
        stage.report(f"a mirror of {estate.size} rooms")
        async with PRODUCT.open_feed(stage, estate) as feed, PRODUCT.running(stage) as (web, port):
            crowd = replace(
                PRODUCT.crowd(port, 1, estate, stage.token), topics=(f"room:{estate.states[0].id}",)
            )
            async with connected(stage, crowd):
                idle_s = await _idle_s(web)
                kb.append(web.memory_kb)
                cpu_s, begun = web.cpu_s, time.monotonic()
                for n in range(CHANGES):
                    await feed.change([1 + n % (estate.size - 1)])
                lasted = time.monotonic() - begun
                us = (web.cpu_s - cpu_s - idle_s * lasted / IDLE_S) / CHANGES * 1e6
    return [
        Cost("room mirrored", (kb[1] - kb[0]) / (BIG - SMALL), "KB", f"{BIG:,} against {SMALL:,}"),
        Cost("change that no screen shows", us, "µs", f"web process, {CHANGES:,} changes"),
        Cost(f"web process, {BIG:,} rooms, idle", idle_s / IDLE_S * 1e6, "µs/s", "1 connection"),
    ]


async def _idle_s(web: Child) -> float:
    """Wait SETTLE_S, then return the CPU of IDLE_S without changes, in seconds."""
    await asyncio.sleep(SETTLE_S)
    cpu_s = web.cpu_s
    await asyncio.sleep(IDLE_S)
    return web.cpu_s - cpu_s


async def through_nginx(stage: Stage) -> list[Cost]:
    """Measure frames through nginx, without TLS: the load client has no TLS."""
    estate, http, plain = Estate(1), free_port(), free_port()
    async with PRODUCT.open_feed(stage, estate) as feed, PRODUCT.running(stage) as (web, port):
        folder = stage.folder / "nginx-costs"
        servers = [port, port]
        with running(folder, http=http, https=plain, servers=servers, has_tls=False) as nginx:
            async with listening(nginx, plain):
                stage.report("fan-out through nginx")
                crowd = replace(
                    PRODUCT.crowd(plain, SMALL, estate, stage.token), ramp=16
                )  # fmt: skip
                meter = Family(nginx.pid)
                kb = meter.memory_kb
                async with connected(stage, crowd) as load:
                    held_kb = (meter.memory_kb - kb) / SMALL
                    await warm_up(feed, [load])
                    before = spent([meter])
                    waves = await measure_waves(stage, "nginx", feed, [web], [load], [0])
                    [us] = since([meter], before, waves.count * SMALL)
    how = f"{SMALL:,} clients, {waves.count} changes, no TLS"
    return [
        Cost("frame through nginx", us, "µs", how),
        Cost("connection through nginx", held_kb, "KB", "resident memory, no TLS"),
    ]
