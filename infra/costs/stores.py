"""The cost of publishes, live writes, comparisons and bookings in Redis, MongoDB and Postgres."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from channels.layers import get_channel_layer
from redis.asyncio import Redis

from booking.commands.book_room import BookRooms, book_room
from infra.bench.children import Child
from infra.bench.estate import Estate
from infra.bench.feeds import live_feed
from infra.bench.places import make_building
from infra.bench.stage import Stage
from infra.costs import meters
from infra.costs.meters import Cost, HasCpu, since, spent
from meeting_rooms.dev.servers import ServiceName
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.interval import Interval
from realtime.layer.publisher import GROUP, Publisher
from realtime.store.live_store import open_store
from realtime.threads import in_thread
from rooms.models import Room

PUBLISHES, SUBSCRIBERS = 3000, (0, 10, 100)
WRITES, COMPARISONS = 1000, 50
ROOMS = (500, 5000)
BOOKINGS, SETTLE_S, IDLE_S, PACE_S = 200, 4.0, 10.0, 0.05


async def redis(stage: Stage) -> list[Cost]:
    """Measure one publish, by the number of listening web processes."""
    server = meters.stores(stage)[ServiceName.REDIS]
    publisher, state = Publisher(get_channel_layer()), Estate(1).states[0]
    costs = []
    for subscribers in SUBSCRIBERS:
        stage.report(f"publishing to {subscribers} subscribers")
        async with _listening(stage, subscribers):
            await publisher.publish(state)
            before, own = spent([server]), time.process_time()
            for _ in range(PUBLISHES):
                await publisher.publish(state)
            own_us = (time.process_time() - own) / PUBLISHES * 1e6
            [us] = since([server], before, PUBLISHES)
        how = f"redis-server, {PUBLISHES:,} publishes one after another"
        costs.append(Cost(f"publish to {subscribers} web processes", us, "µs", how))
        if not subscribers:
            costs.append(Cost("publish, the publisher's part", own_us, "µs", "Publisher.publish"))
    return costs


@asynccontextmanager
async def _listening(stage: Stage, subscribers: int) -> AsyncIterator[None]:
    """Subscribe this number of connections to the hubs' group, without reading messages.

    Unread messages fit into the buffers of sockets and Redis, so the server's cost is the same.
    """
    channel = f"{stage.environment['REDIS_PREFIX']}__group__{GROUP}"
    async with Redis.from_url(stage.environment["REDIS_URL"]) as client:
        links = [client.pubsub() for _ in range(subscribers)]
        for link in links:
            await link.subscribe(channel)
        try:
            yield
        finally:
            for link in links:
                await link.aclose()  # type: ignore[no-untyped-call]  # redis-py's


async def mongodb(stage: Stage) -> list[Cost]:
    """Measure one live write, and the regular comparison of each web process."""
    server = meters.stores(stage)[ServiceName.MONGODB]
    costs = []
    for rooms in ROOMS:
        stage.report(f"comparing {rooms} rooms")
        estate, store = Estate(rooms), open_store()
        async with live_feed(estate):
            before, own = spent([server]), time.process_time()
            for _ in range(COMPARISONS):
                await store.marks()
            own_us = (time.process_time() - own) / COMPARISONS * 1e6
            [us] = since([server], before, COMPARISONS)
            how = f"LiveStore.marks, {COMPARISONS} times"
            costs.append(Cost(f"comparison of {rooms:,} rooms, mongod", us / 1000, "ms", how))
            costs.append(Cost(f"comparison of {rooms:,} rooms, web", own_us / 1000, "ms", how))
            if rooms == ROOMS[-1]:
                costs += await _writes(stage, estate)
        await store.close()
    return costs


async def _writes(stage: Stage, estate: Estate) -> list[Cost]:
    stage.report(f"{WRITES} live writes")
    server, store = meters.stores(stage)[ServiceName.MONGODB], open_store()
    before, own, begun = spent([server]), time.process_time(), time.monotonic()
    for n in range(WRITES):
        state = estate.change(n % len(estate.states))
        await store.replace(state, expected=(state.epoch, state.version - 1))
    waited_ms = (time.monotonic() - begun) / WRITES * 1000
    own_us = (time.process_time() - own) / WRITES * 1e6
    [us] = since([server], before, WRITES)
    await store.close()
    how = f"LiveStore.replace, {WRITES:,} one after another, majority and journal, one member"
    return [
        Cost("live write, mongod", us, "µs", how),
        Cost("live write, the writer's part", own_us, "µs", how),
        Cost("live write, waited for", waited_ms, "ms", f"wall time on a busy machine; {how}"),
    ]


async def bookings(stage: Stage, *, actor: Actor) -> list[Cost]:
    """Measure a booking from the command to the layer, with one worker and no web process."""
    store = open_store()
    await store.remove(await store.schedule_versions())
    await store.close()
    costs = []
    servers = meters.stores(stage)
    worker = Child("worker", stage.manage("worker"), stage.environment, stage.folder / "w.log")
    names = ("worker", "Postgres", "mongod", "redis-server")
    family: list[HasCpu] = [worker, *(servers[n] for n in (
        ServiceName.POSTGRES, ServiceName.MONGODB, ServiceName.REDIS))]  # fmt: skip
    rooms = await in_thread(make_building, "costs", ROOMS[0])
    try:
        stage.report("an idle worker")
        await _settled(ROOMS[0])
        before = spent(family)
        await asyncio.sleep(IDLE_S)
        idle = since(family, before, IDLE_S)
        how = f"resident memory, {ROOMS[0]} rooms"
        costs.append(Cost("worker", worker.memory_kb / 1024, "MB", how))
        stage.report(f"{BOOKINGS} bookings")
        before, begun, own_s = spent(family), time.monotonic(), 0.0
        for n in range(BOOKINGS):
            own_s += await in_thread(_book, actor, rooms[n])
            await asyncio.sleep(PACE_S)
        await asyncio.sleep(SETTLE_S)
        lasted = time.monotonic() - begun
        used = since(family, before, BOOKINGS)
    finally:
        await asyncio.to_thread(worker.end)
    how = f"{BOOKINGS} bookings in {lasted:.0f} s, less the idle cost"
    for name, all_us, idle_us in zip(names, used, idle, strict=True):
        costs.append(Cost(f"booking, {name}", all_us - idle_us * lasted / BOOKINGS, "µs", how))
    costs.append(Cost("booking, the web process's command", own_s / BOOKINGS * 1e6, "µs", how))
    for name, idle_us in zip(names, idle, strict=True):
        how = f"{IDLE_S:.0f} s, {ROOMS[0]} rooms, one worker"
        costs.append(Cost(f"idle, {name}", idle_us, "µs/s", how))
    return costs


async def _settled(rooms: int) -> None:
    """Wait until the worker has projected all rooms."""
    store = open_store()
    async with asyncio.timeout(60):
        while len(await store.schedule_versions()) < rooms:
            await asyncio.sleep(0.2)
    await store.close()
    await asyncio.sleep(SETTLE_S)


def _book(actor: Actor, room: Room) -> float:
    """Book an hour; return the CPU of this thread in seconds."""
    start = SYSTEM_CLOCK.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=20)
    wanted = BookRooms.one(room.uuid, Interval(start, start + timedelta(hours=1)), "Retro")
    begun = time.thread_time()
    book_room(actor=actor, wanted=wanted)
    return time.thread_time() - begun
