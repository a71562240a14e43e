"""Screens behind nginx: clients that reconnect, as the script of the page does."""

import asyncio
import json
import random
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

BACK_OFF_S = 0.5  # a screen waits a random part of it before it reconnects


@dataclass(slots=True)
class Screen:
    """One screen. Gaps are in seconds: from the loss of a socket to the next snapshot."""

    url: str
    origin: Origin
    topic: str
    token: str
    tls: ssl.SSLContext
    versions: list[int] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    is_live: bool = False
    _lost_at: float | None = None

    async def run(self) -> None:
        """Follow the topic until cancelled."""
        while True:
            with suppress(OSError, WebSocketException):
                await self._follow()
            if self.is_live:
                self.is_live, self._lost_at = False, time.monotonic()
            await asyncio.sleep(BACK_OFF_S * random.random())  # noqa: S311 - spreads the load

    async def _follow(self) -> None:
        """Follow the topic on one connection until the connection ends."""
        async with connect(
            self.url, origin=self.origin, ssl=self.tls, open_timeout=2, ping_interval=None,
            additional_headers={"Authorization": f"Bearer {self.token}"},
        ) as socket:  # fmt: skip
            follow = json.dumps({"type": "subscribe", "topic": self.topic})
            await socket.send(follow)
            async for text in socket:
                frame = json.loads(text)
                match frame["type"]:
                    case "sync":
                        await socket.send(json.dumps({"type": "ack", "n": frame["n"]}))
                    case "error":  # no worker has projected the room yet
                        await asyncio.sleep(BACK_OFF_S)
                        await socket.send(follow)
                    case "snapshot":
                        self.is_live = True
                        if self._lost_at is not None:
                            self.gaps.append(time.monotonic() - self._lost_at)
                            self._lost_at = None
                        self.versions.extend(room["version"] for room in frame["rooms"])
                    case "room":
                        self.versions.append(frame["room"]["version"])
