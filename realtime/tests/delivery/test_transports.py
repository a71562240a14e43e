"""Transports to one connection: framing, order, conflation, and the limit on unread data."""

import asyncio
import json

import pytest
from websockets.frames import Frame as Decoded
from websockets.streams import StreamReader

from realtime.delivery.encoded_frame import Batch, Frame
from realtime.delivery.send_queue import MAX_WAITING_REPLIES, SendQueue, SendQueueFullError
from realtime.delivery.transports import SYNC_EVERY, WINDOW, AsgiTransport


def batch(**rooms: str) -> Batch:
    return Batch({("campus", room): Frame(text) for room, text in rooms.items()})


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_frame__any_size__is_read_by_a_client_unchanged(size: int):
    text = "é" * (size // 2) + "x" * (size % 2)
    reader = StreamReader()
    reader.feed_data(Frame(text).wire_bytes)
    parsing = Decoded.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as parsed:
        next(parsing)
    assert parsed.value.value.data.decode() == text


def test_send_queue__waiting_room_changes__is_replaced_and_sent_last():
    send_queue = SendQueue()
    send_queue.put(batch(a="a1", b="b1"))
    send_queue.put(batch(a="a2"))
    assert [send_queue.take().text, send_queue.take().text] == ["b1", "a2"]
    assert not send_queue


def test_send_queue__heartbeat_behind_a_replaced_frame__is_dropped():
    send_queue = SendQueue()
    send_queue.put(batch(a="a1"))
    send_queue.put_beat(Frame("beat"))
    send_queue.put(batch(a="a2"))
    assert send_queue.take().text == "a2"
    assert not send_queue


def test_send_queue__unread_replies__overflow():
    send_queue = SendQueue()
    for n in range(MAX_WAITING_REPLIES):
        send_queue.put_reply(Frame(str(n)))
    with pytest.raises(SendQueueFullError):
        send_queue.put_reply(Frame("one more"))
    assert send_queue.take().text == "0"
    send_queue.put_reply(Frame("fits again"))


class Server:
    """An ASGI server whose `send` never waits, like Daphne's."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.overflows = 0
        self.transport = AsgiTransport(self._send, self._overflow)

    async def _send(self, message: dict[str, str]) -> None:
        self.sent.append(message["text"])

    def _overflow(self) -> None:
        self.overflows += 1

    @property
    def syncs(self) -> list[int]:
        return [json.loads(text)["n"] for text in self.sent if text.startswith('{"type":"sync"')]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_asgi_transport__client_never_acknowledges__gets_a_window_and_then_the_newest():
    server = Server()
    text = "x" * (SYNC_EVERY // 4)
    for n in range(200):
        server.transport.push(batch(a=f"{n}{text}"))
        await settle()
    unread = sum(map(len, server.sent))
    assert WINDOW < unread < WINDOW + 2 * SYNC_EVERY
    taken = server.transport.taken()
    assert taken is not None
    await settle()
    assert server.transport.taken() == taken, "the client takes nothing"
    assert server.transport.acknowledge(server.syncs[-1])
    await settle()
    assert server.sent[-1].startswith("199x")
    assert server.transport.taken() is None
    server.transport.stop()


async def test_asgi_transport__client_acknowledges__is_never_behind():
    server = Server()
    for n in range(100):
        server.transport.push(batch(a=f"{n}" + "x" * SYNC_EVERY))
        await settle()
        assert server.transport.acknowledge(server.syncs[-1])
    assert len(server.sent) == 200
    assert server.transport.taken() is None
    server.transport.stop()


async def test_asgi_transport__unexpected_acknowledgement__is_ignored():
    server = Server()
    assert not server.transport.acknowledge(5)
    server.transport.stop()


async def test_asgi_transport__behind__gets_no_heartbeat():
    server = Server()
    server.transport.push(batch(a="x" * (WINDOW + 1)))
    await settle()
    server.transport.beat(Frame("beat"))
    server.transport.acknowledge(server.syncs[-1])
    await settle()
    assert "beat" not in server.sent
    server.transport.beat(Frame("beat"))
    await settle()
    assert server.sent[-1] == "beat"
    server.transport.stop()


async def test_asgi_transport__unread_replies__overflow():
    server = Server()
    server.transport.reply(Frame("x" * (WINDOW + 1)))
    await settle()
    for n in range(MAX_WAITING_REPLIES + 1):
        server.transport.reply(Frame(str(n)))
    assert server.overflows == 1
    server.transport.stop()
