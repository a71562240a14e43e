"""The counters of sign-in attempts in Redis, which all web processes share.

Each process also counts its own attempts in memory. While Redis does not answer, people can sign
in, and the limits hold once for each process, with the attempts from before counted.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import structlog
from asgiref.sync import async_to_sync
from django.conf import settings
from redis.asyncio import Redis, RedisCluster, SSLConnection
from redis.asyncio.cluster import ClusterNode
from redis.exceptions import RedisError

from identity.domain.attempts import LATEST_END, WINDOW, Counted, Limit, MemoryCounters
from meeting_rooms.redis_url import open_redis, redis_host

log = structlog.get_logger(__name__)
ANSWER_WITHIN_S = 1.0  # for connecting and counting; a person is waiting to sign in
WINDOW_MS = WINDOW // timedelta(milliseconds=1)
LATEST_END_MS = LATEST_END // timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# KEYS: the counters. ARGV: now, the length of a window, how far ahead a window may end (each in
# ms); then the maximum of each counter.
# Returns 0 if all counters counted the attempt, else the end of the last full counter in ms.
COUNT = """
local now, window, latest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local ends_last = 0
for i, key in ipairs(KEYS) do
  local found = redis.call('HMGET', key, 'count', 'ends')
  local ends = tonumber(found[2])
  if not ends or ends <= now or ends > now + latest then
    redis.call('DEL', key)
  elseif tonumber(found[1]) >= tonumber(ARGV[i + 3]) then
    ends_last = math.max(ends_last, ends)
  end
end
if ends_last > 0 then return ends_last end
for _, key in ipairs(KEYS) do
  if redis.call('HINCRBY', key, 'count', 1) == 1 then
    redis.call('HSETNX', key, 'ends', now + window)
    redis.call('PEXPIRE', key, 2 * window)
  end
end
return 0
"""
TAKE_BACK = """
for _, key in ipairs(KEYS) do
  if tonumber(redis.call('HGET', key, 'count') or 0) > 0 then
    redis.call('HINCRBY', key, 'count', -1)
  end
end
"""


class RedisCounters:
    """Counts in memory and then in Redis. For synchronous code.

    An attempt is refused if a counter in memory or in Redis is full. Memory also counts while Redis
    answers: if Redis fails, counters that start empty would allow the attempts twice.

    Each call opens a connection of its own. Sign-ins are rare, and no connection can break between
    two calls because of another event loop, another thread or a restart of Redis.
    """

    store = "redis"

    def __init__(self) -> None:
        self._memory = MemoryCounters()

    def count(self, limits: Sequence[Limit], now: datetime) -> Counted:
        """Count one attempt on every limit; if a limit is reached, refuse it without counting."""
        in_memory = self._memory.count(limits, now)
        if in_memory.refused_until is not None:
            return in_memory
        now_ms = (now - EPOCH) // timedelta(milliseconds=1)
        arguments = [now_ms, WINDOW_MS, LATEST_END_MS, *(limit.at_most for limit in limits)]
        try:
            ends_ms = async_to_sync(_run)(COUNT, limits, arguments)
        except _AWAY:
            return in_memory
        if not ends_ms:
            return Counted(None, self.store)
        self._memory.take_back(limits, in_memory)
        return Counted(EPOCH + timedelta(milliseconds=ends_ms), self.store)

    def take_back(self, limits: Sequence[Limit], counted: Counted) -> None:
        """Subtract one attempt from the counters on which it was counted."""
        self._memory.take_back(limits, counted)
        if counted.store != self.store:
            return
        try:
            async_to_sync(_run)(TAKE_BACK, limits, [])
        except _AWAY as exc:
            # The attempt stays counted until its window ends, so the limit is stricter by one.
            log.warning("sign_in_not_taken_back", error=type(exc).__name__)


_AWAY = (RedisError, OSError, TimeoutError)


async def _run(script: str, limits: Sequence[Limit], arguments: Sequence[int]) -> int:
    """Run a script on the counters. Raises one of _AWAY within ANSWER_WITHIN_S."""
    # The braces put all counters into one slot of a cluster: a script can use only one.
    keys = [f"{settings.REDIS_PREFIX}:{{sign-in}}:{limit.key}" for limit in limits]
    async with asyncio.timeout(ANSWER_WITHIN_S), _open_for_keys(settings.REDIS_URL) as client:
        evaluate = cast("Callable[..., Awaitable[int | None]]", client.eval)
        return await evaluate(script, len(keys), *keys, *arguments) or 0


@asynccontextmanager
async def _open_for_keys(url: str) -> AsyncIterator[Redis | RedisCluster]:
    """Open a client that reads and writes keys: in a cluster, each key is on a node of its own."""
    host = redis_host(url)
    if "nodes" not in host:
        async with open_redis(url) as client:
            yield client
        return
    nodes: list[tuple[str, int]] = host.pop("nodes").in_turn()
    is_tls = issubclass(host.pop("connection_class"), SSLConnection)
    options: dict[str, Any] = {**host, "ssl": is_tls, "socket_timeout": ANSWER_WITHIN_S}
    startup = [ClusterNode(*address, **options) for address in nodes]
    async with RedisCluster(startup_nodes=startup, **options) as cluster:
        yield cluster
