"""The self-test of direct send with the installed releases of Twisted and autobahn.

A client on loopback opens a WebSocket and does not read until the connection is full. Then the
client must receive exactly the expected bytes: two small frames with an ASGI frame between them, a
frame that fills the connection, another ASGI frame, the newer of two queued frames of one room, and
a reply.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from realtime.delivery.encoded_frame import Batch, Frame
from realtime.delivery.transports import DIRECT_EXTENSION

TIMEOUT_S = 3.0  # of the complete test
FILL_BYTES = 8_000_000  # more than the kernel buffers of both ends together
HANDSHAKE = (
    "GET /self-test HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: bWVldGluZy1yb29tcy0hIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def find_fault(port: int, serve: Callable[[Callable[..., Any]], None]) -> str:
    """Return the fault of direct send, or "" if the test passes.

    `serve` sets the ASGI application of the server that listens on `port` of loopback.
    """
    test = _Test()
    serve(test.application)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            received = await test.read(port)
    except Exception as exc:  # noqa: BLE001 - with any fault the server uses AsgiTransport
        return repr(exc)
    if test.fault:
        return test.fault
    return "" if received == test.expected else "the client received other bytes than those sent"


class _Test:
    """An ASGI application that fills the connection, and a client that reads it."""

    def __init__(self) -> None:
        self.fault = ""
        small, asgi, fill = Frame("small"), Frame("asgi"), Frame("x" * FILL_BYTES)
        old, new, reply = Frame("old"), Frame("new"), Frame("reply")
        sent = (small, asgi, small, fill, asgi, new, reply)
        self.expected = b"".join(frame.wire_bytes for frame in sent)
        self._steps = (small, asgi, fill, old, new, reply)
        self._written = asyncio.Event()

    async def application(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.sleep(0.01)  # until the handshake response has left
        try:
            await self._write(scope["extensions"][DIRECT_EXTENSION](lambda: None), send)
        except Exception as exc:  # noqa: BLE001 - reported as the fault
            self.fault = repr(exc)
        self._written.set()
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def _write(self, transport: Any, send: Any) -> None:
        small, asgi, fill, old, new, reply = self._steps
        transport.reply(small)
        await send({"type": "websocket.send", "text": asgi.text})
        transport.reply(small)
        if transport.taken() is not None:
            self.fault = "an empty connection counts as full"
        transport.push(Batch({("topic", "fill"): fill}))
        if transport.taken() is None:
            self.fault = "a full connection does not count as full"
        await send({"type": "websocket.send", "text": asgi.text})
        transport.push(Batch({("topic", "room"): old}))
        transport.push(Batch({("topic", "room"): new}))
        transport.reply(reply)

    async def read(self, port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
        try:
            writer.write(HANDSHAKE.encode())
            await reader.readuntil(b"\r\n\r\n")
            await self._written.wait()
            if self.fault:
                return b""
            return await reader.readexactly(len(self.expected))
        finally:
            writer.close()
