"""Direct send: a transport that writes frames to the socket at once, without Twisted's write queue.

Twisted never sends inside `write`: it queues the data, registers with the selector, waits for the
event loop, sends and unregisters, which costs several times the `send(2)` itself. So if Twisted's
transport has no queued data, this module writes to the socket at once. Data that the kernel does
not accept goes to Twisted's transport. Until that transport has drained, newer frames wait in the
send queue here, only the newest of each room.

The module uses internal attributes of Twisted and autobahn, which may change in a new release.
`self_test` decides at start-up whether direct send works with the installed releases.
"""

import socket
from collections.abc import Callable
from typing import Any

from realtime.delivery.encoded_frame import Batch, Frame
from realtime.delivery.send_queue import SendQueue, SendQueueFullError

# Limits the data that the kernel buffers for a client that does not read. Linux doubles the value;
# without a limit the buffer grows to 4 MB.
SEND_BUFFER_BYTES = 64 * 1024


class DirectTransport:
    """Writes to the socket of one Daphne WebSocket; a push producer of Twisted's transport.

    All data of the connection goes through this object, frames of autobahn too (`write_raw`). So
    Twisted's transport has queued data only while `_is_blocked` is set. Checking the transport
    itself before every frame would touch a dozen objects per connection, which are not in the CPU
    cache if there are thousands of connections.
    """

    name = "direct"

    __slots__ = (
        "_handed_over", "_is_blocked", "_is_stopped", "_on_overflow", "_queue", "_socket_send",
        "_transport",
    )  # fmt: skip

    def __init__(self, transport: Any, on_overflow: Callable[[], None]) -> None:
        connection: socket.socket = transport.socket
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._transport = transport
        self._socket_send = connection.send
        self._on_overflow = on_overflow
        self._queue = SendQueue()
        self._is_blocked = False  # until Twisted's transport has drained
        self._handed_over = 0  # bytes, to Twisted's transport
        self._is_stopped = False
        if transport.dataBuffer or transport._tempDataBuffer:
            self._block(b"")  # the handshake response must leave first

    def push(self, batch: Batch) -> None:
        """Send frames of rooms; if the client is behind, queue the newest frame of each room."""
        if not self._is_blocked:
            self._write(batch.wire_bytes)
        else:
            self._queue.put(batch)

    def beat(self, frame: Frame) -> None:
        """Send a heartbeat, unless the client is behind."""
        if not self._is_blocked:
            self._write(frame.wire_bytes)

    def reply(self, frame: Frame) -> None:
        """Send any other frame; if the client is behind, queue it.

        Calls `on_overflow` if too many replies are queued.
        """
        if not self._is_blocked:
            self._write(frame.wire_bytes)
            return
        try:
            self._queue.put_reply(frame)
        except SendQueueFullError:
            self._on_overflow()

    def acknowledge(self, n: int) -> bool:  # noqa: ARG002 - direct send needs no `sync`
        """Return False: direct send never asks for an acknowledgement."""
        return False

    def taken(self) -> int | None:
        """Return how many of the bytes given to Twisted's transport it has sent."""
        if not self._is_blocked:
            return None
        twisted = self._transport
        waiting: int = len(twisted.dataBuffer) - twisted.offset + twisted._tempDataLen
        return self._handed_over - waiting

    def stop(self) -> None:
        """Stop sending, except for `write_raw`."""
        self._is_stopped = True

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's IPushProducer
        """Send the queued frames: Twisted's transport has drained."""
        self._transport.unregisterProducer()
        self._is_blocked = False
        if self._queue:
            self._write(self._queue.take_all())

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's IPushProducer
        """Do nothing: `_block` has paused this producer already."""

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's IPushProducer
        """Discard the queued frames: the connection is lost."""
        self._queue.take_all()

    def write_raw(self, data: bytes) -> None:
        """Send a frame of autobahn (ping, pong, close), even after `stop`."""
        if not self._is_blocked:
            self._send(data)
        else:
            self._hand_over(data)

    def _write(self, data: bytes) -> None:
        if not self._is_stopped:
            self._send(data)

    def _send(self, data: bytes) -> None:
        try:
            sent = self._socket_send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            return  # reading fails too and ends the connection
        if sent < len(data):
            self._block(data[sent:])

    def _block(self, rest: bytes) -> None:
        transport = self._transport
        self._is_blocked = True
        transport.unregisterProducer()  # the producer of the HTTP handshake
        transport.registerProducer(self, True)
        transport.producerPaused = True  # so that Twisted calls resumeProducing once drained
        self._hand_over(rest)

    def _hand_over(self, data: bytes) -> None:
        self._handed_over += len(data)
        self._transport.write(data)
