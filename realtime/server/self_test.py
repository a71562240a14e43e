"""Whether the direct way out can be relied on with the Twisted and autobahn that are installed.

A client on loopback opens a socket, does not read until the line is full, and then must find every
byte in place: small frames, one of the server's own between them, one that fills the line, another
of the server's own, the newest of two that were conflated behind it, and a reply after them.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from realtime.delivery.encoded_frame import Batch, Frame
from realtime.delivery.transports import DIRECT_EXTENSION

TIMEOUT_S = 3.0
FILL_BYTES = 8_000_000  # more than the kernel's buffers of both sides together
HANDSHAKE = (
    "GET /self-test HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: bWVldGluZy1yb29tcy0hIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def find_fault(port: int, serve: Callable[[Callable[..., Any]], None]) -> str:
    """Return what is wrong with the direct way, or "".

    `serve` puts an ASGI application on the server that listens on `port` of loopback.
    """
    test = _Test()
    serve(test.application)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            received = await test.read(port)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the other way out must be taken
        return repr(exc)
    if test.fault:
        return test.fault
    return "" if received == test.expected else "the bytes on the line are not those sent"


class _Test:
    """An application that fills the line, and a client that looks at what came."""

    def __init__(self) -> None:
        self.fault = ""
        small, own, fill = Frame("small"), Frame("own"), Frame("x" * FILL_BYTES)
        old, new, reply = Frame("old"), Frame("new"), Frame("reply")
        sent = (small, own, small, fill, own, new, reply)
        self.expected = b"".join(frame.wire for frame in sent)
        self._steps = (small, own, fill, old, new, reply)
        self._written = asyncio.Event()

    async def application(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.sleep(0.01)  # until the answer to the handshake has left
        try:
            await self._write(scope["extensions"][DIRECT_EXTENSION](lambda: None), send)
        except Exception as exc:  # noqa: BLE001 - reported as the fault
            self.fault = repr(exc)
        self._written.set()
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def _write(self, wire: Any, send: Any) -> None:
        small, own, fill, old, new, reply = self._steps
        wire.reply(small)
        await send({"type": "websocket.send", "text": own.text})
        wire.reply(small)
        if wire.taken() is not None:
            self.fault = "an empty line counts as full"
        wire.push(Batch({("topic", "fill"): fill}))
        if wire.taken() is None:
            self.fault = "a full line does not count as full"
        await send({"type": "websocket.send", "text": own.text})
        wire.push(Batch({("topic", "room"): old}))
        wire.push(Batch({("topic", "room"): new}))
        wire.reply(reply)

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
