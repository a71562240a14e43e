"""The server itself cuts off a body without end, before anyone has signed in.

`test_bad_input` shows that a smaller body reaches the application.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from meeting_rooms.tests.stack import Stack
from realtime.server.bodies import MAX_BODY_BYTES

PART = b"x" * 64 * 1024
MANY_BYTES = 4 * MAX_BODY_BYTES  # more than the kernel buffers between client and server
TIMEOUT_S = 30.0
KIND = "Content-Type: multipart/form-data; boundary=x"
HEAD = f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n{KIND}\r\n"


@asynccontextmanager
async def connection(stack: Stack) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    async with asyncio.timeout(TIMEOUT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", stack.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def until_refused(writer: StreamWriter, answer: asyncio.Future[bytes], part: bytes) -> int:
    """Send this part repeatedly until there is an answer; return the number of bytes sent."""
    sent = 0
    with suppress(ConnectionError):
        while not answer.done() and sent <= MANY_BYTES:
            writer.write(part)
            await writer.drain()
            sent += len(part)
    return sent


@pytest.mark.parametrize(
    "declared,part",
    [
        (f"Content-Length: {MAX_BODY_BYTES + 1}", PART),
        (f"Content-Length: {100 * MAX_BODY_BYTES}", PART),
        ("Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (len(PART), PART)),
    ],
)
async def test_body__too_large__is_answered_413_and_cut_off(shared_stack: Stack, declared, part):
    """The client never ends its body: only the server can end the request."""
    async with connection(shared_stack) as (reader, writer):
        writer.write(f"{HEAD}{declared}\r\n\r\n".encode())
        answer = asyncio.ensure_future(reader.readline())
        assert await until_refused(writer, answer, part) <= MANY_BYTES
        try:
            line = await answer
        except ConnectionError:
            line = b""  # the reset that follows a close may arrive before the answer
        assert line == b"" or b"413" in line
