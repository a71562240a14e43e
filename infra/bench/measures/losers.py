"""The cost of a request that loses the race for a slot, and of one for a slot already taken."""

import asyncio
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

import httpx

from infra.bench.children import Child
from infra.bench.contenders import PRODUCT
from infra.bench.goals import BenchError, Found, Measured, times
from infra.bench.places import make_building
from infra.bench.stage import Stage
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.threads import in_thread

BUILDING = "bench-losers"
ROOMS = 20  # as alternatives
SLOT = timedelta(minutes=15)
TIMEOUT_S = 120.0

CREATED, CONFLICT = httpx.codes.CREATED, httpx.codes.CONFLICT


class Client:
    """Sends many requests for one slot at the same time."""

    def __init__(self, http: httpx.AsyncClient, server: Child, room: str) -> None:
        self._http, self._server, self._room = http, server, room

    async def cpu_ms(self, start: datetime, clients: int, *, winners: int) -> float:
        """Return the web process's CPU per request. Raises BenchError for unexpected answers."""
        body = {
            "room": self._room,
            "starts_at": start.isoformat(),
            "ends_at": (start + SLOT).isoformat(),
        }
        before = self._server.cpu_s
        posts = (self._http.post("/api/v1/bookings", json=body) for _ in range(clients))
        answers = await asyncio.gather(*posts)
        used_s = self._server.cpu_s - before
        codes = Counter(answer.status_code for answer in answers)
        expected = Counter({CREATED: winners, CONFLICT: clients - winners})
        if codes != expected:
            raise BenchError(f"{clients} requests for one slot were answered {dict(codes)}.")
        if not all("alternatives" in a.json() for a in answers if a.status_code == CONFLICT):
            raise BenchError("A refusal has no alternatives.")
        return used_s / clients * 1000


async def measure(stage: Stage, wanted: Collection[str]) -> Found:  # noqa: ARG001 - one row
    """Return the ratio of the least CPU per request in a race and for a slot already taken."""
    plan = stage.plan
    room, *_ = await in_thread(make_building, BUILDING, ROOMS)
    now = SYSTEM_CLOCK.now().replace(minute=0, second=0, microsecond=0)
    starts = [now + timedelta(days=1) + number * SLOT for number in range(plan.rounds + 1)]
    races: list[float] = []
    refusals: list[float] = []
    async with PRODUCT.running(stage) as (server, port), _http(stage, port) as http:
        client = Client(http, server, str(room.uuid))
        warm, *slots = starts
        await client.cpu_ms(warm, plan.race_clients, winners=1)
        for number, start in enumerate(slots):
            stage.report(f"{plan.race_clients} clients, round {number + 1}")
            races.append(await client.cpu_ms(start, plan.race_clients, winners=1))
            refusals.append(await client.cpu_ms(start, plan.race_clients, winners=0))
    lost, refused = min(races), min(refusals)
    detail = f"{plan.race_clients} clients: {lost:.1f} ms each in a race, {refused:.1f} ms after it"
    return {"race-loser": Measured(times(lost, refused), detail)}


def _http(stage: Stage, port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        timeout=TIMEOUT_S,
        headers={"Authorization": f"Bearer {stage.token}"},
        limits=httpx.Limits(max_connections=None),
    )
