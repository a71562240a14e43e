"""One run of one row: its databases, its processes, its clients, and what it has measured."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis.asyncio

from meeting_rooms.tests.stack import ROOT, Process, free_port
from realtime.state.live_state import Audience
from realtime.tests.faults.artifacts import Evidence
from realtime.tests.faults.booking_client import Booker
from realtime.tests.faults.checker import violations
from realtime.tests.faults.expected_state import Truth, as_shown
from realtime.tests.faults.followers import Follower
from realtime.tests.faults.matrix import NO_GUARD, Claim, Guard, Outcome
from realtime.tests.faults.processes import TEMPLATE, answers, command_line, process_environment
from realtime.tests.faults.proxy import Proxy
from realtime.tests.faults.servers import MONGODB, POSTGRES, REDIS, Servers

HEALED_WITHIN_S = 10.0
START_WITHIN_S = 30.0
POLL_S = 0.05

Condition = Callable[[], bool] | Callable[[], Awaitable[bool]]


class Lab:
    """A stage for one row. `off` is the guard that this run must do without."""

    def __init__(self, servers: Servers, folder: Path, *, off: Guard = NO_GUARD) -> None:
        self.servers = servers
        self.outcome = Outcome()
        self.off = off
        self.rooms: list[str] = []
        self.followers: list[Follower] = []
        self.webs: list[Process] = []
        self.workers: list[Process] = []
        self.reached = folder / "reached"
        self.folder = folder
        self._name = folder.name.lower()
        self._proxies: list[Proxy] = []
        self.port = free_port()
        self.headers: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        self.truth: Truth
        self.booker: Booker

    # -- stage ------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        return self

    async def prepare(self, rooms: int) -> None:
        """Make the row's own databases, with rooms that are projected already."""
        postgres = self.servers.urls[POSTGRES]
        admin = await psycopg.AsyncConnection.connect(postgres, autocommit=True)
        async with admin:
            await admin.execute(f"CREATE DATABASE {self._name} TEMPLATE {TEMPLATE}")
        self.environment = process_environment(self.servers, self._name) | {
            "FAULTS_REACHED": str(self.reached)
        }
        self.truth = Truth(self.environment["DATABASE_URL"], self.servers.urls[MONGODB], self._name)
        made = json.loads(await self.tool("realtime.tests.faults.seed", str(rooms)))
        self.rooms = made["rooms"]
        self.headers = {"Authorization": f"Bearer {made['token']}"}
        self.booker = Booker(self.url, self.headers)

    async def tool(self, module: str, *arguments: str) -> str:
        """Run a module to its end; return what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, cwd=ROOT, env=self.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        if process.returncode:
            raise AssertionError(f"{module} failed:\n{err.decode()[-2000:]}")
        return out.decode()

    async def __aexit__(self, *_exc: object) -> None:
        for follower in self.followers:
            await follower.stop()
        for process in (*self.webs, *self.workers):
            if process.is_alive:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        for proxy in self._proxies:
            await proxy.stop()
        if hasattr(self, "truth"):
            await self.truth.close()
            await self.booker.close()

    # -- processes --------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def web(self) -> Process:
        return self.webs[-1]

    @property
    def worker(self) -> Process:
        return self.workers[-1]

    async def start(self) -> None:
        self.start_worker()
        await self.start_web()

    async def start_web(
        self, *patches: str, port: int = 0, env: Mapping[str, str] | None = None
    ) -> Process:
        """Start a web process, without the guard that is off; return when it answers."""
        port = port or self.port
        arguments = command_line("web", [str(port)], (*patches, *self.off.web))
        return await self.start_process(arguments, port, env)

    async def start_process(
        self, arguments: list[str], port: int, env: Mapping[str, str] | None = None
    ) -> Process:
        log = self.folder / f"web{len(self.webs)}.log"
        process = Process(arguments, log, self.environment | dict(env or {}))
        self.webs.append(process)
        deadline = monotonic() + START_WITHIN_S
        while not await answers(port):
            if not process.is_alive or monotonic() > deadline:
                raise AssertionError(f"web did not start:\n{process.output[-2000:]}")
            await asyncio.sleep(POLL_S)
        return process

    def start_worker(self, *patches: str, env: Mapping[str, str] | None = None) -> Process:
        """Start a worker, without the guard that is off."""
        arguments = command_line("worker", [], (*patches, *self.off.worker))
        log = self.folder / f"worker{len(self.workers)}.log"
        self.workers.append(Process(arguments, log, self.environment | dict(env or {})))
        return self.worker

    async def proxy(self, service: str) -> Proxy:
        """Put a proxy before a store, for the processes that are started from now on."""
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
        """Let the booker, and the clients from now on, use this port."""
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
        """Let that many clients follow a topic from now on."""
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

    async def all_live(self, followers: list[Follower] | None = None) -> bool:
        return all(one.is_live() for one in followers or self.followers)

    async def ready(self, count: int = 4) -> None:
        """Start both processes and some clients; wait until all are live and the layer is heard."""
        await self.start()
        self.follow(count - 1)
        self.follow(1, public=True)
        await self.until(START_WITHIN_S, self.all_live, "clients did not come up")
        await self.until(
            START_WITHIN_S, lambda: "layer_heard" in self.web.output, "the layer was not heard"
        )

    # -- measuring --------------------------------------------------------------------------

    def claim(self, what: str, is_kept: bool, measured: object = "") -> None:
        self.outcome.claims.append(Claim(what, str(measured), is_kept))

    async def until(self, limit_s: float, condition: Condition, otherwise: str) -> float:
        """Wait for what the row needs before it can begin; AssertionError if it never comes."""
        took = await self.took(limit_s, condition)
        if took is None:
            raise AssertionError(f"{otherwise} within {limit_s:.0f} s")
        return took

    async def within(self, limit_s: float, what: str, condition: Condition) -> float | None:
        """Claim that `condition` comes true in time; return after how long it did."""
        took = await self.took(limit_s, condition)
        self.claim(
            what, took is not None, f"> {limit_s:.0f} s" if took is None else f"{took:.2f} s"
        )
        return took

    async def took(self, limit_s: float, condition: Condition) -> float | None:
        """Wait for `condition`; return after how many seconds it came true, None if it did not."""
        began = monotonic()
        while True:
            answer = condition()
            if (await answer) if asyncio.iscoroutine(answer) else answer:
                return monotonic() - began
            if monotonic() - began > limit_s:
                return None
            await asyncio.sleep(POLL_S)

    async def is_settled(self) -> bool:
        """Say whether Postgres, MongoDB and every screen tell the same."""
        try:
            async with asyncio.timeout(5):
                states = await self.truth.states()
                versions = await self.truth.schedule_versions()
        except (TimeoutError, psycopg.Error, OSError):
            return False
        if versions != {room: state.schedule.version for room, state in states.items()}:
            return False
        marks = {room: state.mark for room, state in states.items()}
        return all(one.screen.have() == one.part_of(marks) for one in self.followers)

    async def settles(self, what: str, limit_s: float = HEALED_WITHIN_S) -> float | None:
        return await self.within(limit_s, what, self.is_settled)

    async def evidence(self) -> Evidence:
        states = await self.truth.states()
        shown = {a: {r: as_shown(s, a) for r, s in states.items()} for a in Audience}
        theirs = {
            f.name: f.part_of(shown[Audience.PUBLIC if f.is_public else Audience.STAFF])
            for f in self.followers
        }
        return Evidence(
            histories={f.name: f.screen.applied for f in self.followers},
            screens={f.name: f.screen.rooms for f in self.followers},
            truth=theirs,
            stored=await self.truth.bookings(),
            acknowledged=self.booker.acknowledged,
        )

    async def judge(self) -> None:
        """Let the checker look at the whole run."""
        broken = violations(await self.evidence())
        self.claim("nothing violated", not broken, "; ".join(broken) or "0 violations")


@contextlib.asynccontextmanager
async def lab(servers: Servers, folder: Path, off: Guard, rooms: int) -> AsyncIterator[Lab]:
    """Set the stage, and clear it whatever happens."""
    async with Lab(servers, folder, off=off) as stage:
        await stage.prepare(rooms)
        yield stage
