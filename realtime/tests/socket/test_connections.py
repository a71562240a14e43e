"""The watch over all sockets: it ends a client that reads nothing, even on a slow server."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from twisted.internet.abstract import FileDescriptor

from realtime.delivery.encoded_frame import Batch, Frame
from realtime.delivery.transports import WINDOW, AsgiTransport, Transport
from realtime.server.direct import DirectTransport
from realtime.socket.connections import WATCH_S, Connections
from realtime.state.live_state import Audience

ROUNDS = 5  # rounds without progress after which the watch ends a client here
HOUR_S = 3600.0


class Client:
    """A socket as the registry uses it. Records how the registry ended the socket."""

    audience = Audience.PUBLIC
    principal = None
    address = "203.0.113.7"

    def __init__(self) -> None:
        self.transport: Transport
        self.opened_at = asyncio.get_running_loop().time()
        self.ended: list[str] = []

    async def ask_audience(self) -> Audience:
        return self.audience

    def restart(self, after_ms: int, reason: str) -> None:
        self.ended.append(reason)

    def close_too_slow(self) -> None:
        self.ended.append("too slow")

    def sign_out(self) -> None:
        self.ended.append("signed out")


class BoundedDescriptor(FileDescriptor):
    """Twisted's own buffering for a client that reads only the bytes that a test lets it read."""

    connected = True

    def __init__(self) -> None:
        super().__init__(reactor=self)
        self.socket, self._other_end = socket.socketpair()
        self.socket.setblocking(False)
        self.may_take = 0

    def writeSomeData(self, data: bytes) -> int:  # noqa: N802 - Twisted's name
        taken, self.may_take = min(len(data), self.may_take), 0
        return taken

    def addWriter(self, _writer: object) -> None:  # noqa: N802 - this is the reactor as well
        pass

    removeWriter = addWriter  # noqa: N815

    def close(self) -> None:
        self.socket.close()
        self._other_end.close()

    def take(self, size: int) -> None:
        self.may_take = size
        self.doWrite()


class FullAsgi:
    """A client on plain ASGI send that has not acknowledged a full window."""

    def __init__(self) -> None:
        self.client = Client()
        self.client.transport = self.transport = AsgiTransport(
            self._send, self.client.close_too_slow
        )
        self._acknowledged = 0

    async def _send(self, _message: dict[str, str]) -> None:
        pass

    async def fill(self) -> None:
        self.transport.reply(Frame("x" * (WINDOW * 2)))
        for _ in range(20):
            await asyncio.sleep(0)

    def take_a_little(self) -> None:
        self._acknowledged += 1
        assert self.transport.acknowledge(self._acknowledged)

    def close(self) -> None:
        self.transport.stop()


class FullDirect:
    """A client on direct send whose kernel accepts no more bytes."""

    def __init__(self) -> None:
        self._line = BoundedDescriptor()
        self.client = Client()
        self.client.transport = self.transport = DirectTransport(
            self._line, self.client.close_too_slow
        )

    async def fill(self) -> None:
        self.transport.push(Batch({("topic", "room"): Frame("x" * 4_000_000)}))

    def take_a_little(self) -> None:
        self._line.take(100)

    def close(self) -> None:
        self._line.close()


@pytest.fixture(params=[FullAsgi, FullDirect])
async def behind(request, settings) -> Iterator[FullAsgi | FullDirect]:
    """Return a client that is behind, for each transport."""
    settings.SOCKET_STUCK_S = ROUNDS * WATCH_S
    made = request.param()
    await made.fill()
    assert made.transport.taken() is not None
    yield made
    made.close()


def registry(client: Client) -> Connections:
    """Return a registry with one socket, whose watch the test runs."""
    connections = Connections()
    connections._tasks.append(asyncio.get_running_loop().create_future())
    connections.add(client)
    return connections


async def test_watch__client_reads_nothing__is_ended_after_the_maximum_of_rounds(behind):
    connections = registry(behind.client)
    for _ in range(ROUNDS):
        connections.watch()
        assert behind.client.ended == []
    connections.watch()
    assert behind.client.ended == ["too slow"]


async def test_watch__client_reads_a_little_each_round__stays(behind):
    connections = registry(behind.client)
    for _ in range(ROUNDS * 4):
        behind.take_a_little()
        connections.watch()
    assert behind.transport.taken() is not None, "it is behind all the time"
    assert behind.client.ended == []


async def test_watch__own_frame_while_the_client_reads_nothing__is_no_progress():
    """A ping is queued behind the bytes that the client has not read."""
    full = FullDirect()
    await full.fill()
    before = full.transport.taken()
    full.transport.write_raw(b"ping")
    assert full.transport.taken() == before
    full.close()


async def test_watch__process_was_stopped__ends_no_client_before_the_next_round(
    behind, monkeypatch
):
    """The process was stopped for an hour: the client's bytes are still in the kernel's buffers."""
    connections, loop = registry(behind.client), asyncio.get_running_loop()
    connections.watch()
    resumed_at = loop.time() + HOUR_S
    monkeypatch.setattr(loop, "time", lambda: resumed_at)
    connections.watch()
    behind.take_a_little()
    for _ in range(ROUNDS):
        connections.watch()
    assert behind.client.ended == []
