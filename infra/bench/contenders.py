"""The compared servers: how each is started and how it receives changes."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from infra.bench.builds import HERE, compile_program, find_node, install_node_packages
from infra.bench.children import Child, free_port, listening
from infra.bench.estate import Estate
from infra.bench.feeds import CHANNEL, Feed, group_feed, live_feed, text_feed
from infra.bench.goals import BenchError
from infra.bench.load import Crowd, Dialect
from infra.bench.stage import Stage

Command = Callable[[Stage, int], list[str]]
OpenFeed = Callable[[Stage, Estate], AbstractAsyncContextManager[Feed]]
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Contender:
    """One kind of server. `command` takes the port to listen on."""

    name: str
    command: Command
    open_feed: OpenFeed
    dialect: Dialect = Dialect.PLAIN
    path: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    needs_node: bool = False

    @asynccontextmanager
    async def running(self, stage: Stage) -> AsyncIterator[tuple[Child, int]]:
        """Start one process; yield it with its port. Raises BenchError if it does not start."""
        port = free_port()
        if self.needs_node:
            modules = await asyncio.to_thread(install_node_packages, stage.cache)
            stage.environment["NODE_PATH"] = str(modules)
        environment = {
            **stage.environment,
            **self.environment,
            "REDIS_PASSWORD": stage.redis_password,
            "BENCH_CHANNEL": CHANNEL,
        }
        log = stage.folder / f"{self.name.replace('/', '-')}-{next(_numbers)}.log"
        child = Child(self.name, self.command(stage, port), environment, log)
        async with listening(child, port):
            yield child, port

    def crowd(self, port: int, connections: int, estate: Estate, token: str) -> Crowd:
        """Return clients for this kind of server."""
        if self.dialect is Dialect.LIVE:
            topics = (str(estate.topic),)
            return Crowd(port, connections, self.dialect, self.path, token, topics)
        return Crowd(port, connections, self.dialect, self.path)


def _product(stage: Stage, port: int) -> list[str]:
    return stage.manage("serve", "--port", str(port))


def _naive(_stage: Stage, port: int) -> list[str]:
    return daphne("infra.bench.peers.naive:application", port)


def daphne(application: str, port: int) -> list[str]:
    """Return the command line of Daphne with the product's limits."""
    endpoint = f"--endpoint=tcp:port={port}:interface=127.0.0.1:backlog=4096"
    return [sys.executable, "-m", "daphne", endpoint, "--verbosity=0", "--no-server-name",
            "--websocket_timeout=-1", application]  # fmt: skip


def require_uvloop() -> None:
    """Raise BenchError if uvloop is missing. The text has the command to install it."""
    if find_spec("uvloop") is None:
        raise BenchError("uvloop is missing. Install it: pip install uvloop.")


def _broadcast_on(loop: str) -> Command:
    def command(_stage: Stage, port: int) -> list[str]:
        if loop == "uvloop":
            require_uvloop()
        return [sys.executable, "-m", "infra.bench.peers.broadcast", str(port), CHANNEL, loop]

    return command


def _node(script: str) -> Command:
    def command(stage: Stage, port: int) -> list[str]:
        return [find_node(), str(HERE / "peers" / script), str(port), str(stage.redis_port),
                CHANNEL]  # fmt: skip

    return command


def _floor(stage: Stage, port: int) -> list[str]:
    return [str(_floor_program(stage.folder)), str(port), str(stage.redis_port), CHANNEL]


@cache
def _floor_program(folder: Path) -> Path:
    return compile_program("floor", folder)


def _live(_stage: Stage, estate: Estate) -> AbstractAsyncContextManager[Feed]:
    return live_feed(estate)


def _group(_stage: Stage, estate: Estate) -> AbstractAsyncContextManager[Feed]:
    return group_feed(estate)


def _live_contender(name: str, **switches: str) -> Contender:
    return Contender(name, _product, _live, Dialect.LIVE, "/ws/v1/live", switches)


PRODUCT = _live_contender("product")
PLAIN = _live_contender("product, plain ASGI send", DIRECT_SEND="0")
ON_ASYNCIO = _live_contender("product on asyncio", UVLOOP="0")
FLOOR = Contender("C floor", _floor, text_feed)
BROADCAST = Contender("websockets on uvloop", _broadcast_on("uvloop"), text_feed)
BROADCAST_ASYNCIO = Contender("websockets on asyncio", _broadcast_on("asyncio"), text_feed)
NODE_WS = Contender("node ws", _node("ws.js"), text_feed, needs_node=True)
SOCKETIO = Contender(
    "Socket.IO", _node("socketio.js"), text_feed, Dialect.SOCKETIO,
    "/socket.io/?EIO=4&transport=websocket", needs_node=True,
)  # fmt: skip
NAIVE = Contender("naive Channels", _naive, _group)

ALL = (FLOOR, PRODUCT, PLAIN, ON_ASYNCIO, BROADCAST, BROADCAST_ASYNCIO, NODE_WS, SOCKETIO, NAIVE)
