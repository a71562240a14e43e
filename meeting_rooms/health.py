"""Health: `/healthz` says that this process answers, `/readyz` that its stores answer.

Neither answer contains versions, addresses or errors, because both are public.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf

import psycopg
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from meeting_rooms.kernel.errors import UnavailableError
from meeting_rooms.kernel.store_outages import Store, process_outages
from meeting_rooms.redis_url import open_redis
from realtime.socket.connections import shared_connections
from realtime.store.live_store import open_store

KEEP_S = 1.0  # seconds for which the result of one probe is reused


@dataclass(frozen=True, slots=True)
class StoreProbe:
    """The result of asking one store. `problem` is for operators, never for the public."""

    name: str
    problem: str | None

    @property
    def is_ok(self) -> bool:
        """Return whether the store answered in time."""
        return self.problem is None


async def _postgres() -> None:
    connection = await psycopg.AsyncConnection.connect(settings.DATABASE_URL, connect_timeout=2)
    async with connection:
        await connection.execute("SELECT 1")


async def _mongodb() -> None:
    store = open_store()
    try:
        await store.ping()
    finally:
        await store.close()


async def _redis() -> None:
    async with open_redis(settings.REDIS_URL) as client:
        await client.ping()


_PROBES: dict[str, Callable[[], Awaitable[None]]] = {
    "postgres": _postgres,
    "mongodb": _mongodb,
    "redis": _redis,
}


async def _probe(name: str, ask: Callable[[], Awaitable[None]]) -> StoreProbe:
    try:
        async with asyncio.timeout(settings.STORE_TIMEOUT_S):
            await ask()
    except (psycopg.Error, PyMongoError, UnavailableError, RedisError, OSError, ValueError) as exc:
        return StoreProbe(name, f"{type(exc).__name__}: {exc}".strip())
    return StoreProbe(name, None)


async def probe_stores() -> list[StoreProbe]:
    """Ask all stores concurrently; each answers or fails within `settings.STORE_TIMEOUT_S`."""
    return await asyncio.gather(*(_probe(name, ask) for name, ask in _PROBES.items()))


async def _probe_and_note() -> list[StoreProbe]:
    """Ask every store, and record for the log which stores failed and which answered."""
    probes = await probe_stores()
    for probe in probes:
        if probe.problem is None:
            process_outages.answered(Store(probe.name))
        else:
            process_outages.failed(Store(probe.name), probe.problem)
    return probes


class _Readiness:
    """The last probes, kept for KEEP_S and run once at a time: a flood must not load the stores."""

    def __init__(self) -> None:
        self._task: asyncio.Task[list[StoreProbe]] | None = None
        self._until = -inf  # loop time

    async def probes(self) -> list[StoreProbe]:
        """Return probes that are at most KEEP_S older than their own duration."""
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.get_loop() is not loop or loop.time() >= self._until:
            self._task = loop.create_task(_probe_and_note(), name="readiness")
            self._until = loop.time() + KEEP_S
        return await asyncio.shield(self._task)


_readiness = _Readiness()


async def healthz(_request: HttpRequest) -> JsonResponse:
    """Return 200 without asking any store: the process is alive."""
    return JsonResponse({"status": "ok"})


async def readyz(_request: HttpRequest) -> JsonResponse:
    """Return 200 if every store answers, else 503; the body has the status of each store.

    A process that is about to stop returns 503 too, so that it gets no new connections.
    """
    if shared_connections().is_draining:
        return JsonResponse({"status": "draining"}, status=503)
    probes = await _readiness.probes()
    stores = {probe.name: "ok" if probe.is_ok else "unavailable" for probe in probes}
    is_ready = all(probe.is_ok for probe in probes)
    status = "ok" if is_ready else "unavailable"
    return JsonResponse({"status": status, "stores": stores}, status=200 if is_ready else 503)
