"""Transports: how the frames of one connection are sent. One interface, two implementations.

`AsgiTransport` works on every ASGI server; `realtime.server.direct.DirectTransport` writes to the
socket itself. Both keep the order, limit the unread data of a client, and send a client that is
behind only the newest state of each room.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from realtime.delivery.encoded_frame import Batch, Frame
from realtime.delivery.send_queue import SendQueue, SendQueueFullError
from realtime.protocol import messages

SYNC_EVERY = 32 * 1024  # characters between two requests to acknowledge
WINDOW = 256 * 1024  # the most characters sent and not yet acknowledged
DIRECT_EXTENSION = "meeting_rooms.direct"  # key in the ASGI scope, set by realtime.server.daphne


class Transport(Protocol):
    """Sends frames to one client. No call waits; no call raises if the client is disconnected."""

    name: str  # "direct" or "asgi", for logs and metrics

    def push(self, batch: Batch) -> None:
        """Send frames of rooms; if the client is behind, keep only the newest of each room."""
        ...

    def beat(self, frame: Frame) -> None:
        """Send a heartbeat, unless the client is behind: its screen is not current then."""
        ...

    def reply(self, frame: Frame) -> None:
        """Send any other frame, in order. Call `on_overflow` if too many replies are queued."""
        ...

    def acknowledge(self, n: int) -> bool:
        """Process the answer to a `sync`; return whether an answer was expected."""
        ...

    def taken(self) -> int | None:
        """Return how much data the client has read; None if no data waits for the client.

        The number is constant exactly while the client reads nothing. The unit depends on the
        transport.
        """
        ...

    def stop(self) -> None:
        """Stop sending frames."""
        ...


class AsgiTransport:
    """Sends frames with the `send` of ASGI.

    The `send` of a server need not wait for the client: Daphne's returns at once, however much is
    unread. So the client must acknowledge (`sync`, `ack`), and at most WINDOW characters are
    unacknowledged. Source: without this bound 78 MiB were sent in 3 s to a client that never read.
    """

    name = "asgi"

    def __init__(
        self, send: Callable[[dict[str, Any]], Awaitable[None]], on_overflow: Callable[[], None]
    ) -> None:
        self._send = send
        self._on_overflow = on_overflow
        self._queue = SendQueue()
        self._ready = asyncio.Event()
        self._acknowledgement = asyncio.Event()
        self._sent = self._asked = self._acknowledged = 0  # characters
        self._is_sending = False  # also while it waits for an acknowledgement
        self._task = asyncio.get_running_loop().create_task(self._run(), name="asgi-transport")

    def push(self, batch: Batch) -> None:
        """Queue frames of rooms."""
        self._queue.put(batch)
        self._ready.set()

    def beat(self, frame: Frame) -> None:
        """Queue a heartbeat, unless a frame is being sent."""
        if not self._is_sending:
            self._queue.put_beat(frame)
            self._ready.set()

    def reply(self, frame: Frame) -> None:
        """Queue any other frame; call `on_overflow` if too many replies are queued."""
        try:
            self._queue.put_reply(frame)
        except SendQueueFullError:
            self._on_overflow()
        self._ready.set()

    def acknowledge(self, n: int) -> bool:
        """Record that the client has `n` characters; return False if no `sync` asked for `n`."""
        if not self._acknowledged < n <= self._asked:
            return False
        self._acknowledged = n
        self._acknowledgement.set()
        return True

    def taken(self) -> int | None:
        """Return the characters accepted by the server plus those acknowledged by the client."""
        return self._sent + self._acknowledged if self._is_sending else None

    def stop(self) -> None:
        """Cancel the sending task."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            while not self._queue:
                self._ready.clear()
                await self._ready.wait()
            self._is_sending = True
            await self._transmit(self._queue.take().text)
            if self._sent - self._asked >= SYNC_EVERY:
                self._asked = self._sent
                await self._transmit(messages.sync(self._asked))
            while self._sent - self._acknowledged > WINDOW:
                self._acknowledgement.clear()
                await self._acknowledgement.wait()
            self._is_sending = False

    async def _transmit(self, text: str) -> None:
        self._sent += len(text)
        await self._send({"type": "websocket.send", "text": text})
