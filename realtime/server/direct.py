"""The direct way out: frames go to the socket in the very call, past Twisted's write queue.

Twisted never sends inside `write`: it queues, registers with the selector, waits for a loop pass,
sends and unregisters, which costs several times the `send(2)` itself. So while a transport has
nothing queued, the socket is written at once; what the kernel does not take is given to the
transport, and from then on newer frames wait here, the latest of each room, until it has drained.

It reads attributes of Twisted and autobahn that are not promised to stay; `self_test` decides at
start-up whether they still do what is relied on.
"""

import socket
from collections.abc import Callable
from typing import Any

from realtime.delivery.encoded_frame import Batch, Frame
from realtime.delivery.send_queue import SendQueue, SendQueueFullError

# What the kernel may hide of a client that does not read; Linux doubles it. It grows to 4 MB else.
SEND_BUFFER_BYTES = 64 * 1024


class DirectTransport:
    """Writes to the socket of one WebSocket of Daphne's; a push producer of its transport.

    From its making on everything goes through it, autobahn's own frames too (`write_raw`), so the
    transport has something queued only while this is blocked. To look there before every frame
    would touch a dozen objects of each connection, all of them cold when there are thousands.
    """

    name = "direct"

    __slots__ = (
        "_handed_over", "_is_blocked", "_is_stopped", "_on_overflow", "_outbox", "_socket_send",
        "_transport",
    )  # fmt: skip

    def __init__(self, transport: Any, on_overflow: Callable[[], None]) -> None:
        line: socket.socket = transport.socket
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._transport = transport
        self._socket_send = line.send
        self._on_overflow = on_overflow
        self._outbox = SendQueue()
        self._is_blocked = False  # until the transport has drained
        self._handed_over = 0  # bytes, to the transport
        self._is_stopped = False
        if transport.dataBuffer or transport._tempDataBuffer:
            self._block(b"")  # the answer to the handshake goes first

    def push(self, batch: Batch) -> None:
        """Send rooms, or keep the newest of each until the client has caught up."""
        if not self._is_blocked:
            self._write(batch.wire)
        else:
            self._outbox.put(batch)

    def beat(self, frame: Frame) -> None:
        """Send proof of life, unless the client is behind."""
        if not self._is_blocked:
            self._write(frame.wire)

    def reply(self, frame: Frame) -> None:
        """Send any other frame, or keep it until the client has caught up."""
        if not self._is_blocked:
            self._write(frame.wire)
            return
        try:
            self._outbox.put_reply(frame)
        except SendQueueFullError:
            self._on_overflow()

    def acknowledge(self, n: int) -> bool:  # noqa: ARG002 - the transport tells by itself
        """Answer that nothing was asked: this way needs no acknowledgement."""
        return False

    def taken(self) -> int | None:
        """Return how many of the bytes that were given to the transport have left it."""
        if not self._is_blocked:
            return None
        line = self._transport
        waiting: int = len(line.dataBuffer) - line.offset + line._tempDataLen
        return self._handed_over - waiting

    def stop(self) -> None:
        """Send nothing more."""
        self._is_stopped = True

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's IPushProducer
        """Send what has waited: the transport has drained."""
        self._transport.unregisterProducer()
        self._is_blocked = False
        if self._outbox:
            self._write(self._outbox.take_all())

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's IPushProducer
        """Do nothing: this producer has paused itself already."""

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's IPushProducer
        """Forget what waits: the connection is lost."""
        self._outbox.take_all()

    def write_raw(self, data: bytes) -> None:
        """Send a frame of autobahn's own (ping, pong, close), even after `stop`."""
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
            return  # the reading side reports the loss, and the connection ends there
        if sent < len(data):
            self._block(data[sent:])

    def _block(self, rest: bytes) -> None:
        transport = self._transport
        self._is_blocked = True
        transport.unregisterProducer()  # HTTP's own is left from the handshake
        transport.registerProducer(self, True)
        transport.producerPaused = True  # so that it calls back once it has drained
        self._hand_over(rest)

    def _hand_over(self, data: bytes) -> None:
        self._handed_over += len(data)
        self._transport.write(data)
