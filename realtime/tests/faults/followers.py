"""Clients that follow the live protocol exactly, and a record of the states that they showed.

The clients apply the room rule, compare digests, ask again with what they have, acknowledge, ping
a silent server, and reconnect after a random wait.
"""

import asyncio
import json
import random
from collections.abc import Mapping
from hashlib import sha256
from time import monotonic
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, WebSocketException

from realtime.protocol.messages import MAX_FRAME_BYTES
from realtime.tests.faults.artifacts import Applied
from realtime.tests.screen import Screen

STALE_S = 10.0  # without proof of life for so long a screen shows that it is not live
SILENCE_S = 6.0  # after so long a client sends a ping
PATIENCE_S = 3.5  # wait for the answer, so that a dead connection is left within STALE_S
RETRY_LEAST_S, RETRY_S, RETRY_MOST_S = 0.2, 1.0, 5.0  # as docs/protocol.md requires
ASK_AGAIN_S = 1.0  # after an error
OPEN_TIMEOUT_S = 10.0


class RecordingScreen(Screen):
    """The reference client's screen, with a record of every state that it has shown."""

    def __init__(self, topic: str, audience: str) -> None:
        super().__init__(topic)
        self._audience = audience
        self.applied: list[Applied] = []

    def _apply(self, room: dict[str, Any], *, is_snapshot: bool) -> None:
        known = len(self.history)
        self._follow_rule(room, is_snapshot=is_snapshot)
        if len(self.history) > known:
            content = sha256(json.dumps(room, sort_keys=True).encode()).hexdigest()
            self.applied.append(
                Applied(room["id"], room["epoch"], room["version"], content, self._audience,
                        monotonic())
            )  # fmt: skip

    def _follow_rule(self, room: dict[str, Any], *, is_snapshot: bool) -> None:
        super()._apply(room, is_snapshot=is_snapshot)


class CarelessScreen(RecordingScreen):
    """A screen that shows every received state: the room rule is switched off."""

    def _follow_rule(self, room: dict[str, Any], *, is_snapshot: bool) -> None:
        self.rooms[room["id"]] = room
        self.history.append((room["id"], room["epoch"], room["version"]))


class Follower:
    """One client of one topic, until it is stopped."""

    def __init__(
        self,
        name: str,
        url: str,
        topic: str,
        headers: Mapping[str, str],
        *,
        is_careless: bool = False,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self._url = url
        self._headers = dict(headers)
        self._extra = dict(extra or {})  # members that a newer client might send
        self.is_public = "Authorization" not in headers
        kind = CarelessScreen if is_careless else RecordingScreen
        self.screen = kind(topic, "public" if self.is_public else "staff")
        self.proofs: list[float] = []  # instants at which a heartbeat proved the screen right
        self.proven: list[tuple[float, dict[str, dict[str, Any]]]] = []
        self.closes: list[tuple[float, int]] = []
        self.opened: list[tuple[float, float]] = []  # start and duration of each handshake
        self.snapshots: list[float] = []
        self.left: list[tuple[float, float]] = []  # dead connections: instant, silent seconds
        self.refused = 0
        self.frames: list[str] = []  # types of the received frames
        self.errors: list[str] = []
        self.builds: list[str] = []
        self.comes_back = True  # reconnects after a close
        self.retry_most_s = RETRY_MOST_S
        self._attempts = 0  # since the last proof
        self._invited_s: float | None = None  # the delay that a `bye` asked for
        self._raw: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    @property
    def is_open(self) -> bool:
        return self._raw is not None

    def is_live(self, at: float | None = None) -> bool:
        """Return whether the screen calls itself live: the last proof is not older than STALE_S."""
        at = monotonic() if at is None else at
        return any(at - STALE_S < proof <= at for proof in reversed(self.proofs))

    def part_of(self, rooms: Mapping[str, Any]) -> dict[str, Any]:
        """Return the rooms of this client's topic, from all rooms by id."""
        kind, _, name = self.screen.topic.partition(":")
        return {room: one for room, one in rooms.items() if kind != "room" or room == name}

    def version(self, room: str) -> int:
        """Return the version that the screen shows, 0 if it shows none."""
        return int(self.screen.rooms.get(room, {}).get("version", 0))

    async def send(self, text: str | bytes) -> None:
        if self._raw is not None:
            await self._raw.send(text)

    async def _run(self) -> None:
        while self.comes_back or not self.opened:
            began = monotonic()
            try:
                async with connect(
                    self._url, origin=_origin(self._url), additional_headers=self._headers,
                    ping_interval=None, open_timeout=OPEN_TIMEOUT_S, close_timeout=1, proxy=None,
                    compression=None,
                ) as raw:  # fmt: skip
                    self.opened.append((monotonic(), monotonic() - began))
                    self._raw, self._invited_s = raw, None
                    self.screen.subscribe()
                    await self._talk(raw)
            except ConnectionClosed as end:
                self.closes.append((monotonic(), end.rcvd.code if end.rcvd else 1006))
            except (OSError, InvalidHandshake, WebSocketException):
                self.refused += 1
            finally:
                self._raw = None
            await asyncio.sleep(self._wait_s())

    def _wait_s(self) -> float:
        if self._invited_s is not None:
            return random.uniform(0, self._invited_s)
        most_s = min(self.retry_most_s, RETRY_S * 2**self._attempts)
        self._attempts += 1
        return RETRY_LEAST_S + random.uniform(0, most_s)

    async def _talk(self, raw: ClientConnection) -> None:
        heard = monotonic()
        while True:
            for ask in self._asks():
                await raw.send(self._encoded(ask))
            try:
                async with asyncio.timeout(SILENCE_S):
                    text = await raw.recv()
            except TimeoutError:
                await raw.send(json.dumps({"type": "ping", "t": monotonic()}))
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        text = await raw.recv()
                except TimeoutError:
                    self.left.append((monotonic(), monotonic() - heard))
                    raw.transport.abort()
                    return
            heard = monotonic()
            await self._take(str(text))

    def _encoded(self, ask: dict[str, Any]) -> str:
        """Encode a frame; one that is too long for the server asks for everything instead."""
        text = json.dumps({**self._extra, **ask})
        if len(text) > MAX_FRAME_BYTES and "have" in ask:
            text = json.dumps({**self._extra, **ask, "have": {}})
        return text

    def _asks(self) -> list[dict[str, Any]]:
        asks, self.screen.asks = self.screen.asks, []
        return asks

    async def _take(self, text: str) -> None:
        frame = json.loads(text)
        kind = frame["type"]
        self.frames.append(kind)
        self.screen.take(text)
        now = monotonic()
        if kind == "heartbeat" and frame["digest"].get(self.screen.topic) == self.screen.digest():
            self._attempts = 0
            self.proofs.append(now - frame.get("age_ms", 0) / 1000)
            self.proven.append((now, dict(self.screen.rooms)))
        elif kind == "bye":
            self._invited_s = frame["after_ms"] / 1000
        elif kind == "hello":
            self.builds.append(frame["build"])
        elif kind == "snapshot":
            self.snapshots.append(now)
        elif kind == "error":
            self.errors.append(frame["code"])
            if frame["code"] in ("unavailable", "not_found"):
                await asyncio.sleep(ASK_AGAIN_S)
                self.screen.subscribe()


def _origin(url: str) -> str:
    return "http://" + url.removeprefix("ws://").partition("/")[0]
