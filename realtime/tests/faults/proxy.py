"""A TCP proxy on loopback that breaks connections on demand."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from enum import Enum, auto

from meeting_rooms.dev.servers.ports import free_port

CHUNK = 65_536
DELAY_S = 0.2
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST, not with FIN


class Mode(Enum):
    """How the proxy treats bytes and new connections."""

    PASS = auto()
    DELAY = auto()  # each chunk DELAY_S late
    # accepts, then forwards nothing: neither bytes nor a close, in neither direction
    BLACKHOLE = auto()
    REFUSE = auto()  # no process listens; open connections continue


class Proxy:
    """Forwards one port to another. `set` and `reset` take effect at once."""

    def __init__(self, target_port: int, target_host: str = "127.0.0.1") -> None:
        self._target = target_host, target_port
        self._server: asyncio.Server | None = None
        self._links: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter | None]] = set()
        self._passes = asyncio.Event()
        self._passes.set()
        self._mode = Mode.PASS
        self._spare: int | None = None
        self.port = 0

    @property
    def open_links(self) -> int:
        """Return the number of open connections."""
        return len(self._links)

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self.port = self.port or free_port()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def turn_to(self, port: int, *, spare: int | None = None) -> None:
        """Send new connections to this port, and to the spare one if no process listens there."""
        self._target = self._target[0], port
        self._spare = spare

    async def set(self, mode: Mode) -> None:
        """Break or repair connections. The bytes in a black hole continue when it ends."""
        if mode is Mode.REFUSE and self._server is not None:
            self._server.close()
            self._server = None
        elif mode is not Mode.REFUSE and self._server is None:
            await self.start()
        self._mode = mode
        if mode is Mode.BLACKHOLE:
            self._passes.clear()
        else:
            self._passes.set()

    def reset(self) -> None:
        """End every open connection, on both sides, with RST."""
        for link in list(self._links):
            for writer in link:
                if writer is not None:
                    _tear(writer)

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        self.reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link: tuple[asyncio.StreamWriter, asyncio.StreamWriter | None] = (writer, None)
        self._links.add(link)
        try:
            await self._passes.wait()
            back, out = await self._dial()
            self._links.discard(link)
            link = writer, out
            self._links.add(link)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, out))
                group.create_task(self._pump(back, writer))
        except (OSError, ExceptionGroup):
            pass  # one side has closed, so the connection ends
        finally:
            self._links.discard(link)
            for one in link:
                if one is not None:
                    one.close()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self._target
        try:
            return await asyncio.open_connection(host, port)
        except ConnectionRefusedError:
            if self._spare is None:
                raise
            return await asyncio.open_connection(host, self._spare)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await self._passes.wait()
            chunk = await reader.read(CHUNK)
            await self._passes.wait()
            if self._mode is Mode.DELAY:
                await asyncio.sleep(DELAY_S)
            if not chunk:
                raise ConnectionResetError
            writer.write(chunk)
            await writer.drain()


@contextlib.asynccontextmanager
async def proxied(target_port: int) -> AsyncIterator[Proxy]:
    """Run a proxy before a port of loopback."""
    proxy = Proxy(target_port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()


def _tear(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
