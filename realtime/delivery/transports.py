"""The way out of one connection. Two kinds, one contract.

`AsgiTransport` works on every ASGI server; `realtime.server.direct.DirectWire` writes to the socket
itself. Both keep order, bound what a client has not read, and skip to the newest state of each room
for a client that is behind.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from realtime.delivery.encoded_frame import Batch, Frame
from realtime.delivery.send_queue import SendQueue, SendQueueFullError
from realtime.protocol import messages

SYNC_EVERY = 32 * 1024  # characters
WINDOW = 256 * 1024  # characters sent, but not yet acknowledged
DIRECT_EXTENSION = "meeting_rooms.direct"  # in the scope of our own server


class Transport(Protocol):
    """How the hub reaches a client. No call waits; none raises for a client that is gone."""

    name: str  # "direct" or "asgi", for logs and metrics

    def push(self, batch: Batch) -> None:
        """Send rooms; for a client that is behind the newest of each replaces those before."""
        ...

    def beat(self, frame: Frame) -> None:
        """Send proof of life, unless the client is behind: then it is not current."""
        ...

    def reply(self, frame: Frame) -> None:
        """Send any other frame, in order. A client that reads none of them overflows."""
        ...

    def acknowledge(self, n: int) -> bool:
        """Take the answer to a `sync`; say whether one was due."""
        ...

    def taken(self) -> int | None:
        """Return how much the client has taken so far; None while nothing waits for the client.

        The number stands still exactly while the client takes nothing. Its unit is the wire's own.
        """
        ...

    def stop(self) -> None:
        """Send nothing more."""
        ...


class AsgiTransport:
    """Sends through ASGI's `send`.

    A server's `send` need not wait for the client: Daphne's returns at once however much is unread.
    So the client is asked to acknowledge (`sync`, `ack`), and no more than WINDOW are ever
    under way. Source: 78 MiB went out in 3 s to a client that never read, before this bound.
    """

    name = "asgi"

    def __init__(
        self, send: Callable[[dict[str, Any]], Awaitable[None]], on_overflow: Callable[[], None]
    ) -> None:
        self._send = send
        self._on_overflow = on_overflow
        self._outbox = SendQueue()
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._sent = self._asked = self._acknowledged = 0  # characters
        self._is_sending = False  # or waits for an acknowledgement
        self._task = asyncio.get_running_loop().create_task(self._run(), name="asgi-wire")

    def push(self, batch: Batch) -> None:
        """Queue rooms."""
        self._outbox.put(batch)
        self._ready.set()

    def beat(self, frame: Frame) -> None:
        """Queue proof of life, unless the line is full."""
        if not self._is_sending:
            self._outbox.put_beat(frame)
            self._ready.set()

    def reply(self, frame: Frame) -> None:
        """Queue any other frame."""
        try:
            self._outbox.put_reply(frame)
        except SendQueueFullError:
            self._on_overflow()
        self._ready.set()

    def acknowledge(self, n: int) -> bool:
        """Note what has arrived. A number that was never asked for is not an answer."""
        if not self._acknowledged < n <= self._asked:
            return False
        self._acknowledged = n
        self._room.set()
        return True

    def taken(self) -> int | None:
        """Return what the server has accepted and the client has acknowledged, in characters."""
        return self._sent + self._acknowledged if self._is_sending else None

    def stop(self) -> None:
        """End the sending task."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            while not self._outbox:
                self._ready.clear()
                await self._ready.wait()
            self._is_sending = True
            await self._transmit(self._outbox.take().text)
            if self._sent - self._asked >= SYNC_EVERY:
                self._asked = self._sent
                await self._transmit(messages.sync(self._asked))
            while self._sent - self._acknowledged > WINDOW:
                self._room.clear()
                await self._room.wait()
            self._is_sending = False

    async def _transmit(self, text: str) -> None:
        self._sent += len(text)
        await self._send({"type": "websocket.send", "text": text})
