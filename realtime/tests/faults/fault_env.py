"""One run of one row: its databases, its processes, its clients, and its measurements."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis.asyncio

from meeting_rooms.dev.servers.ports import free_port
from realtime.tests.faults.booking_client import Booker
from realtime.tests.faults.expected_state import Truth
from realtime.tests.faults.followers import Follower
from realtime.tests.faults.matrix import NO_GUARD, Guard, Sized
from realtime.tests.faults.measuring import POLL_S, Measuring
from realtime.tests.faults.processes import TEMPLATE, Running, Starter, answers, process_environment
from realtime.tests.faults.proxy import Proxy
from realtime.tests.faults.servers import MONGODB, POSTGRES, REDIS, Servers

START_WITHIN_S = 30.0
# Delays of a process in the short form, as far as the environment sets them.
SHORT_ENVIRONMENT = {
    "STATEMENT_TIMEOUT_MS": "2000", "SOCKET_STUCK_S": "2",
    "DRAIN_NOTICE_S": "0.5", "DRAIN_SPREAD_S": "0.5",
}  # fmt: skip


class Lab(Measuring):
    """The environment of one row. `off` is the guard that is switched off in this run."""

    def __init__(
        self, servers: Servers, folder: Path, *, start: Starter, is_short: bool,
        off: Guard = NO_GUARD,
    ) -> None:  # fmt: skip
        super().__init__(is_short=is_short)
        self.servers = servers
        self.off = off
        self.rooms: list[str] = []
        self.webs: list[Running] = []
        self.workers: list[Running] = []
        self.reached = folder / "reached"
        self.folder = folder
        self._start = start
        self._name = folder.name.lower()
        self._proxies: list[Proxy] = []
        self.port = free_port()
        self.headers: dict[str, str] = {}
        self.environment: dict[str, str] = {}

    # -- environment ------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        return self

    async def prepare(self, rooms: int) -> None:
        """Create the row's own databases, with rooms that are already projected."""
        postgres = self.servers.urls[POSTGRES]
        admin = await psycopg.AsyncConnection.connect(postgres, autocommit=True)
        async with admin:
            await admin.execute(f"CREATE DATABASE {self._name} TEMPLATE {TEMPLATE}")
        self.environment = process_environment(self.servers, self._name) | {
            "FAULTS_REACHED": str(self.reached)
        }
        if self.is_short:
            self.environment |= SHORT_ENVIRONMENT
        self.truth = Truth(self.environment["DATABASE_URL"], self.servers.urls[MONGODB], self._name)
        made = json.loads(await self.result_of("seed", str(rooms)))
        self.rooms = made["rooms"]
        self.headers = {"Authorization": f"Bearer {made['token']}"}
        self.booker = Booker(self.url, self.headers, is_patient=self.is_short)

    async def result_of(self, role: str, *arguments: str) -> str:
        """Run a process to its end; return its last line of output."""
        process = self.run(role, *arguments)
        await self.until(START_WITHIN_S, lambda: not process.is_alive, f"{role} did not end")
        output_lines = process.output.splitlines()
        if not output_lines or not output_lines[-1].startswith("{"):
            raise AssertionError(f"{role} failed:\n{process.output[-2000:]}")
        return output_lines[-1]

    def run(self, role: str, *arguments: str) -> Running:
        """Start a process that is neither web process nor worker."""
        log = self.folder / f"{role}.log"
        return self._start(role, arguments, (), log=log, environment=self.environment)

    async def __aexit__(self, *_exc: object) -> None:
        for follower in self.followers:
            await follower.stop()
        for process in (*self.webs, *self.workers):
            if process.is_alive:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        for proxy in self._proxies:
            await proxy.stop()
        for client in ("truth", "booker"):  # the environment may be incomplete
            if hasattr(self, client):
                await getattr(self, client).close()

    # -- processes --------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def web(self) -> Running:
        return self.webs[-1]

    @property
    def worker(self) -> Running:
        return self.workers[-1]

    async def start(self) -> None:
        self.start_worker()
        await self.start_web()

    async def start_web(
        self, *patches: str, port: int = 0, env: Mapping[str, str] | None = None
    ) -> Running:
        """Start a web process, without the guard that is off; return when the process answers.

        A process that refuses to start because a store answers too late is started again.
        """
        port = port or self.port
        log = self.folder / f"web{len(self.webs)}.log"
        start = partial(
            self._start, "web", [str(port)], (*patches, *self.off.web),
            log=log, environment=self.environment | dict(env or {}),
        )  # fmt: skip
        self.webs.append(process := start())
        deadline = monotonic() + self.limit(START_WITHIN_S)
        while not await answers(port):
            if monotonic() > deadline:
                raise AssertionError(f"web did not start:\n{process.output[-2000:]}")
            if not process.is_alive:
                self.webs[-1] = process = start()
            await asyncio.sleep(POLL_S)
        return process

    def start_worker(self, *patches: str, env: Mapping[str, str] | None = None) -> Running:
        """Start a worker, without the guard that is off."""
        log = self.folder / f"worker{len(self.workers)}.log"
        process = self._start(
            "worker", [], (*patches, *self.off.worker),
            log=log, environment=self.environment | dict(env or {}),
        )  # fmt: skip
        self.workers.append(process)
        return process

    async def proxy(self, service: str) -> Proxy:
        """Put a proxy before a store, for the processes that are started later."""
        url = urlsplit(self.environment[service])
        assert url.port is not None
        proxy = Proxy(url.port)
        await proxy.start()
        self._proxies.append(proxy)
        netloc = url.netloc.replace(f":{url.port}", f":{proxy.port}")
        query = "authSource=admin&directConnection=true" if service == "MONGODB_URL" else url.query
        self.environment[service] = urlunsplit(url._replace(netloc=netloc, query=query))
        return proxy

    async def web_proxy(self, port: int = 0) -> Proxy:
        proxy = Proxy(port or self.port)
        await proxy.start()
        self._proxies.append(proxy)
        return proxy

    def turn_to(self, port: int) -> None:
        """Let the booking client, and all clients that are started later, use this port."""
        self.port = port
        self.booker.turn_to(self.url)

    async def redis_command(self, *words: Any) -> Any:
        async with redis.asyncio.Redis.from_url(self.servers.urls[REDIS]) as client:
            return await client.execute_command(*words)

    # -- clients ----------------------------------------------------------------------------

    def follow(
        self, count: int, *, port: int = 0, topic: str = "building:house", public: bool = False,
        extra: Mapping[str, Any] | None = None,
    ) -> list[Follower]:  # fmt: skip
        """Start `count` clients that follow a topic."""
        url = f"ws://127.0.0.1:{port or self.port}/ws/v1/live"
        first = len(self.followers)
        made = [
            Follower(
                f"client-{first + n}", url, topic, {} if public else self.headers,
                is_careless=self.off.driver == "careless", extra=extra,
            )
            for n in range(count)
        ]  # fmt: skip
        self.followers += made
        for one in made:
            one.start()
        return made

    async def ready(self, count: int = 4) -> None:
        """Start both processes and some clients; wait until all are live and connected."""
        await self.start()
        self.follow(count - 1)
        self.follow(1, public=True)
        await self.until(START_WITHIN_S, self.all_live, "clients did not come up")
        await self.until(
            START_WITHIN_S, lambda: "layer_heard" in self.web.output, "the layer was not heard"
        )


@contextlib.asynccontextmanager
async def lab(
    servers: Servers, folder: Path, off: Guard, rooms: Sized[int], *, start: Starter, is_short: bool
) -> AsyncIterator[Lab]:
    """Prepare the environment of a row, and clean it up in every case."""
    async with Lab(servers, folder, off=off, start=start, is_short=is_short) as stage:
        await stage.prepare(stage.size(rooms))
        yield stage
