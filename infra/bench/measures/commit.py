"""Commit to screen: the complete way from a booking over HTTP to every screen that shows it."""

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count

import httpx

from booking.models import Booking
from infra.bench.children import Child
from infra.bench.contenders import PRODUCT
from infra.bench.goals import BenchError, Found
from infra.bench.load import Crowd, Load, connected
from infra.bench.measures.commit_relay import relay_round
from infra.bench.places import make_building
from infra.bench.references import RELAY
from infra.bench.stage import Stage
from infra.bench.turns import Side, compared, in_turns
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.state.topics import Topic
from realtime.store.live_store import LiveStore, open_store
from realtime.threads import in_thread
from rooms.models import Room

PROJECTED_TIMEOUT_S = 120.0
ARRIVAL_TIMEOUT_S = 30.0
REQUEST_TIMEOUT_S = 20.0
POLL_S = 0.1
SLOT = timedelta(minutes=15)
BUILDING = "bench-commit"
_numbers = count(1)


async def measure(stage: Stage, wanted: Collection[str]) -> Found:
    """Return p50 and p99 over all bookings and the clients that receive them, against a relay.

    One worker, one web process, ten buildings with 50 rooms each; a client follows one building.
    The relay has the same clients and rows. The medians of the rounds count.
    """
    plan = stage.plan
    rooms = await in_thread(_make_rooms, stage)
    # Spread over the buildings; each room once, so that its name identifies the booking.
    step = max(1, len(rooms) // plan.commit_bookings)
    chosen = rooms[::step][: plan.commit_bookings]
    numbers = count(1)
    sides = {
        PRODUCT.name: lambda: _round(stage, chosen, next(numbers)),
        RELAY.name: lambda: relay_round(stage, [room.pk for room in chosen], _slot(0)),
    }
    async with _projected(stage, len(rooms)):
        taken = await in_turns(stage, f"{len(chosen)} bookings", sides)
    found: Found = {}
    for n, key in enumerate(("commit-p50", "commit-p99")):
        product, relay = (Side(name, [lags[n] for lags in one]) for name, one in taken.items())
        found[key] = compared(product, relay, "ms", statistics.median)
    return {key: value for key, value in found.items() if key in wanted}


def _make_rooms(stage: Stage) -> list[Room]:
    each = stage.plan.commit_rooms // stage.plan.commit_buildings
    return [
        room
        for n in range(stage.plan.commit_buildings)
        for room in make_building(f"{BUILDING}-{n}", each, first=n * each)
    ]


@asynccontextmanager
async def _projected(stage: Stage, rooms: int) -> AsyncIterator[None]:
    """Run a worker, and wait until it has projected every room."""
    log = stage.folder / f"worker-{next(_numbers)}.log"
    worker = Child("worker", stage.manage("worker"), stage.environment, log)
    store = open_store()
    try:
        deadline = time.monotonic() + PROJECTED_TIMEOUT_S
        while await _known(stage, store) < rooms:
            worker.check()
            if time.monotonic() > deadline:
                raise BenchError(
                    f"The worker did not project {rooms} rooms in {PROJECTED_TIMEOUT_S:.0f} s."
                )
            await asyncio.sleep(POLL_S)
        yield
    finally:
        await store.close()
        await asyncio.to_thread(worker.end)


async def _known(stage: Stage, store: LiveStore) -> int:
    topics = map(Topic.parse, _topics(stage))
    return sum(map(len, await asyncio.gather(*map(store.states, topics))))


def _topics(stage: Stage) -> tuple[str, ...]:
    return tuple(f"building:{BUILDING}-{n}" for n in range(stage.plan.commit_buildings))


async def _round(stage: Stage, rooms: list[Room], number: int) -> tuple[float, float]:
    """Book the rooms at an even rate; return p50 and p99 in ms."""
    plan = stage.plan
    audience = plan.clients // plan.commit_buildings
    async with PRODUCT.running(stage) as (_, port):
        crowd = Crowd(
            port, plan.clients, token=stage.token, topics=_topics(stage),
            log=4 * audience * len(rooms),
        )  # fmt: skip
        async with connected(stage, crowd) as load:
            await load.forget()
            headers = {"Authorization": f"Bearer {stage.token}"}
            base = f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient(
                base_url=base, headers=headers, timeout=REQUEST_TIMEOUT_S
            ) as http:
                await _book_evenly(http, rooms, plan.commit_rate, number)
            committed = await in_thread(_committed, rooms, number)
            lags = await _lags_ms(load, committed, audience)
    return statistics.median(lags), sorted(lags)[int(len(lags) * 0.99)]


def _slot(number: int) -> tuple[datetime, datetime]:
    """Return the start and the end of all bookings of a round. Each round has its own slot."""
    soon = SYSTEM_CLOCK.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    return soon + number * SLOT, soon + (number + 1) * SLOT


async def _book_evenly(
    http: httpx.AsyncClient, rooms: list[Room], rate: float, number: int
) -> None:
    """Send the bookings at this rate, without waiting for answers."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    start, end = _slot(number)
    async with asyncio.TaskGroup() as group:
        for n, room in enumerate(rooms):
            await asyncio.sleep(max(0.0, begun + n / rate - loop.time()))
            group.create_task(_book(http, room, start.isoformat(), end.isoformat(), _title(number)))


async def _book(
    http: httpx.AsyncClient, room: Room, starts_at: str, ends_at: str, title: str
) -> None:
    body = {"room": str(room.uuid), "starts_at": starts_at, "ends_at": ends_at, "title": title}
    answer = await http.post("/api/v1/bookings", json=body)
    if not answer.is_success:
        raise BenchError(f"A booking was answered {answer.status_code}: {answer.text[:200]}")


def _title(number: int) -> str:
    return f"Round {number}"


def _committed(rooms: list[Room], number: int) -> dict[int, int]:
    """Return by marker the instant of each booking on CLOCK_MONOTONIC, in ns.

    The instant is `created_at`, read in the transaction a little before the commit, so lags are
    slightly too high.
    """
    now_ns = int(SYSTEM_CLOCK.now().timestamp() * 1e9)
    offset = time.monotonic_ns() - now_ns
    booked = Booking.objects.filter(room__in=rooms, title=_title(number)).select_related("room")
    return {
        int(booking.room.name.removeprefix("t=")): int(booking.created_at.timestamp() * 1e9)
        + offset
        for booking in booked
    }


async def _lags_ms(load: Load, committed: Mapping[int, int], audience: int) -> list[float]:
    """Wait for every client's frame of every booking; return the lags. Raises BenchError."""
    wanted = audience * len(committed)
    deadline = time.monotonic() + ARRIVAL_TIMEOUT_S
    while True:
        seen: dict[int, list[float]] = defaultdict(list)
        for marker, arrived in load.arrivals():
            if marker in committed and arrived >= committed[marker]:
                seen[marker].append((arrived - committed[marker]) / 1e6)
        # A room may change again by time: the first frame per client is of the booking.
        lags = [lag for found in seen.values() for lag in sorted(found)[:audience]]
        if len(lags) >= wanted:
            return lags
        if time.monotonic() > deadline:
            raise BenchError(f"{wanted - len(lags):,} of {wanted:,} frames did not arrive.")
        await asyncio.sleep(POLL_S)
