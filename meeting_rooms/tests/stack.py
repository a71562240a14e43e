"""The real processes, as production runs them: web (Daphne) and worker, on the test's stores."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from websockets.asyncio.client import ClientConnection, connect

from meeting_rooms.dev.servers.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
# These limits only end a test that hangs; a busy machine may be slow. They stay below pytest's own
# time-out.
START_TIMEOUT_S = 60.0  # for the start of a process
PATIENCE_S = 100.0  # for everything that a test waits for
LOG_END = 4_000  # characters
ASK_AGAIN_S = 0.05  # doubled each time, because the limit on frames applies here, too
ASK_AGAIN_MOST_S = 2.0


def store_environment() -> dict[str, str]:
    """Return the environment that connects a process to this test's own stores."""
    db = connection.settings_dict
    url = f"postgres://{db['USER']}:{db['PASSWORD']}@{db['HOST']}:{db['PORT']}/{db['NAME']}"
    return {**os.environ, "DATABASE_URL": url, "MONGODB_DATABASE": settings.MONGODB_DATABASE}


class Process:
    """A `python …` child process whose output goes to a file."""

    def __init__(self, arguments: list[str], log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=dict(environment),
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def output(self) -> str:
        return self._log.read_text()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, timeout_s: float) -> int:
        return self._process.wait(timeout_s)

    def stop(self) -> None:
        if self.is_alive:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(START_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.kill()


class Stack:
    """A web process and a worker."""

    def __init__(self, folder: Path, extra: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self.environment = {**store_environment(), **(extra or {})}
        self.port = free_port()
        self.web: Process | None = None
        self.worker: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_alive(self) -> bool:
        return all(process and process.is_alive for process in (self.web, self.worker))

    def start(self) -> None:
        self.start_worker()
        self.start_web()

    def start_worker(self, arguments: list[str] | None = None) -> Process:
        arguments = arguments or ["manage.py", "worker"]
        self.worker = Process(arguments, self._folder / "worker.log", self.environment)
        return self.worker

    def start_web(self, arguments: list[str] | None = None) -> None:
        serve = arguments or ["manage.py", "serve", "--port", str(self.port)]
        self.web = Process(serve, self._folder / "web.log", self.environment)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if not self.web.is_alive or time.monotonic() > deadline:
                raise AssertionError(f"web did not start:\n{self.web.output}")
            time.sleep(0.05)

    def stop(self) -> None:
        for process in (self.web, self.worker):
            if process is not None:
                process.stop()

    def ends_of_logs(self) -> list[tuple[str, str]]:
        """Return (name, last characters) of the output of each process."""
        named = (("worker", self.worker), ("web", self.web))
        return [(f"Log of {name}", process.output[-LOG_END:]) for name, process in named if process]

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return (
                urllib.request.urlopen(f"{self.url}/healthz", timeout=START_TIMEOUT_S).status == 200
            )
        return False

    def raw_socket(self, **options: Any) -> connect:
        address = f"ws://127.0.0.1:{self.port}/ws/v1/live"
        options.setdefault("origin", self.url)
        return connect(address, ping_interval=None, open_timeout=START_TIMEOUT_S, **options)

    @contextlib.asynccontextmanager
    async def socket(self, **options: Any) -> AsyncIterator["LiveClient"]:
        async with self.raw_socket(**options) as raw:
            client = LiveClient(raw)
            await client.next("hello")
            yield client


class LiveClient:
    """A client of the live protocol that stores the newest state of each room."""

    def __init__(self, raw: ClientConnection) -> None:
        self.raw = raw
        self.rooms: dict[str, dict[str, Any]] = {}

    async def send(self, **frame: Any) -> None:
        await self.raw.send(json.dumps(frame))

    async def receive(self) -> dict[str, Any]:
        frame = json.loads(await self.raw.recv())
        if frame["type"] == "sync":
            await self.send(type="ack", n=frame["n"])
            return await self.receive()
        for room in frame.get("rooms", []):
            self.rooms[room["id"]] = room
        if frame["type"] == "room":
            self.rooms[frame["room"]["id"]] = frame["room"]
        return frame

    async def next(self, kind: str) -> dict[str, Any]:
        """Return the next frame of this type; drop all frames before it."""
        while True:
            frame = await self.receive()
            if frame["type"] == kind:
                return frame

    async def follow(self, topic: str, **more: Any) -> dict[str, Any]:
        await self.send(type="subscribe", topic=topic, **more)
        return await self.next("snapshot")

    async def follow_known(self, topic: str, *rooms: UUID, **more: Any) -> dict[str, Any]:
        """Follow a topic as soon as the worker has published it and these rooms.

        Returns the last snapshot.
        """
        pause_s = ASK_AGAIN_S
        while True:
            await self.send(type="subscribe", topic=topic, **more)
            while not _is_answer(frame := await self.receive()):
                pass
            if frame["type"] == "snapshot" and self.rooms.keys() >= {str(room) for room in rooms}:
                return frame
            assert frame["type"] == "snapshot" or frame["code"] == "not_found", frame
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, ASK_AGAIN_MOST_S)


def _is_answer(frame: dict[str, Any]) -> bool:
    """Return whether a frame answers a subscription. A snapshot with only `gone` is no answer.

    An earlier test may leave hundreds of rooms, which are removed one by one.
    """
    if frame["type"] == "snapshot":
        return bool(frame["rooms"] or not frame["gone"])
    return frame["type"] == "error"
