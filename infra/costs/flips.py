"""The cost of a full hour: many rooms change at one instant, and workers project them."""

import asyncio
import time
from contextlib import ExitStack
from datetime import datetime, timedelta

from booking.commands.book_room import BookRooms, book_room
from infra.bench.children import Child
from infra.bench.places import make_building
from infra.bench.stage import Stage
from infra.costs.meters import Cost, spent
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.interval import Interval
from realtime.store.live_store import LiveStore, open_store
from realtime.threads import in_thread
from rooms.models import Room

ROOMS = 500
WORKERS = (1, 2)
AHEAD = timedelta(seconds=30)  # time to make and project the bookings
LIMIT_S, POLL_S = 60.0, 0.1


async def flips(stage: Stage, *, actor: Actor) -> list[Cost]:
    """Measure meetings that begin in all rooms at once, by the number of workers."""
    store = open_store()
    await store.remove(await store.schedule_versions())
    costs: list[Cost] = []
    for workers in WORKERS:
        stage.report(f"meetings that begin in {ROOMS} rooms at once, {workers} workers")
        rooms = await in_thread(make_building, f"flips-{workers}", ROOMS)
        costs += await _measure(stage, store, rooms, workers, actor)
    await store.close()
    return costs


async def _measure(
    stage: Stage, store: LiveStore, rooms: list[Room], count: int, actor: Actor
) -> list[Cost]:
    with ExitStack() as stack:
        workers = []
        for n in range(count):
            log = stage.folder / f"flips-{count}-{n}.log"
            workers.append(Child("worker", stage.manage("worker"), stage.environment, log))
            stack.callback(workers[-1].end)
        at = (SYSTEM_CLOCK.now() + AHEAD).replace(second=0, microsecond=0) + timedelta(minutes=1)
        await in_thread(_book_all, rooms, at, actor)
        await asyncio.sleep((at - SYSTEM_CLOCK.now()).total_seconds())
        before, begun = spent(workers), time.monotonic()
        async with asyncio.timeout(LIMIT_S):
            while await store.due(at):
                await asyncio.sleep(POLL_S)
        lasted = time.monotonic() - begun
        used = [now - was for now, was in zip(spent(workers), before, strict=True)]
    how = f"{ROOMS} rooms at one instant"
    return [
        Cost(f"flip, {count} workers together", sum(used) / ROOMS * 1e6, "µs", how),
        Cost(f"last flip, {count} workers", lasted, "s", f"wall time on a busy machine; {how}"),
    ]


def _book_all(rooms: list[Room], at: datetime, actor: Actor) -> None:
    during = Interval(at, at + timedelta(hours=1))
    for room in rooms:
        book_room(actor=actor, wanted=BookRooms.one(room.uuid, during, "Retro"))
