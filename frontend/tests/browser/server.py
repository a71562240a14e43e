"""A server on loopback: the board, its static files, and a socket whose frames a test sends."""

import asyncio
import json
import mimetypes
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

from django.conf import settings
from django.template.loader import render_to_string
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from frontend.board import BoardBuilding, BoardFloor, board_context
from frontend.fragments import BOARD, BoardFragments
from frontend.qr import qr_svg
from frontend.tests.factories import NOW, ZONE, free_room
from realtime.hub.fragments import FragmentCache, Rendering
from realtime.protocol import messages
from realtime.state.live_state import Audience, LiveState

TOPIC = "building:harbour-house"
PATH = "/board/harbour-house"
TIMEOUT_S = 60.0  # a last resort: the browser is slow on a busy machine
POLICY = "; ".join(
    f"{name} {' '.join(sources)}"
    for name, sources in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].items()
)  # from the site's settings
BUILDING = BoardBuilding(
    "harbour-house", "Harbour House", ZONE, (BoardFloor("harbour-house-2", "Floor 2"),)
)


def row(state: LiveState) -> dict[str, Any]:
    """Return a room's body as in the frames to pages."""
    return json.loads(messages.encode(messages.view_body(state, BoardFragments().room(state, NOW))))


@dataclass
class Connection:
    """One socket of the page."""

    socket: ServerConnection
    received: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    syncs: int = 1000
    acks: list[int] = field(default_factory=list)  # not in `received`: an ack comes at any time

    async def send(self, type: str, **members: Any) -> None:
        """Send one frame."""
        await self.socket.send(messages.encode({"type": type, **members}))

    async def expect(self, type: str) -> dict[str, Any]:
        """Return the page's next frame of a type; drop frames of other types."""
        async with asyncio.timeout(TIMEOUT_S):
            while (frame := await self.received.get())["type"] != type:
                pass
        return frame

    def unread(self, type: str) -> list[dict[str, Any]]:
        """Take all frames that have arrived and are unread; return the frames of one type."""
        frames = [self.received.get_nowait() for _ in range(self.received.qsize())]
        return [frame for frame in frames if frame["type"] == type]

    async def processed(self) -> None:
        """Wait until the page has processed every frame sent so far."""
        self.syncs += 1
        await self.send("sync", n=self.syncs)
        async with asyncio.timeout(TIMEOUT_S):
            while self.syncs not in self.acks:
                await asyncio.sleep(0.001)

    async def close(self, code: int) -> None:
        """Close with a close frame that has this code."""
        await self.socket.close(code)

    def abort(self) -> None:
        """Abort the TCP connection: the page sees close code 1006."""
        self.socket.transport.abort()


class ScriptedServer:
    """Serves one building's board. A test changes the attributes between its steps."""

    def __init__(self) -> None:
        self.rooms = [free_room("Dogger"), free_room("Fisher"), free_room("Humber")]
        self.build = "b1"
        self.next_builds: list[str] = []  # the builds of the next pages; later pages have `build`
        self.pages_served = 0
        self.breaks_pages = False
        self.refuses_sockets = False  # like a proxy whose web process is down
        self.connections: asyncio.Queue[Connection] = asyncio.Queue()
        self._open: list[ServerConnection] = []
        self._server: Server | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await serve(
            self._socket, "127.0.0.1", 0, process_request=self._http, ping_interval=None
        )

    async def stop(self) -> None:
        """Abort every connection and stop listening."""
        assert self._server is not None
        for socket in self._open:
            socket.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """The address of the board."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{PATH}"

    async def connected(self) -> Connection:
        """Return the page's next socket, in the order in which the page opened them."""
        async with asyncio.timeout(TIMEOUT_S):
            return await self.connections.get()

    async def served(self, pages: int) -> None:
        """Wait until `pages` page requests have arrived."""
        async with asyncio.timeout(TIMEOUT_S):
            while self.pages_served < pages:
                await asyncio.sleep(0.001)

    def change(self, index: int, **changes: Any) -> dict[str, Any]:
        """Change a room, raise its version and return its body."""
        old = self.rooms[index]
        self.rooms[index] = replace(old, **{"version": old.version + 1, **changes})
        return row(self.rooms[index])

    def digest(self) -> dict[str, int]:
        """Return the digest of the rooms' current versions."""
        marks = (f"{state.id}:{state.epoch}:{state.version}" for state in self.rooms)
        return {TOPIC: sum(crc32(mark.encode()) for mark in marks) % 2**32}

    async def _socket(self, socket: ServerConnection) -> None:
        connection = Connection(socket)
        self._open.append(socket)
        self.connections.put_nowait(connection)
        try:
            async for text in socket:
                frame = json.loads(text)
                if frame["type"] == "ack":
                    connection.acks.append(frame["n"])
                else:
                    connection.received.put_nowait(frame)
        except ConnectionClosed:
            pass  # tests end connections in every way

    def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if path == "/ws/v1/live":
            if self.refuses_sockets:
                return _answer(HTTPStatus.BAD_GATEWAY, "text/plain", b"")
            return None
        if path == PATH:
            self.pages_served += 1
            if self.breaks_pages:
                return _answer(HTTPStatus.BAD_GATEWAY, "text/html", b"<h1>Bad gateway</h1>")
            return _answer(HTTPStatus.OK, "text/html; charset=utf-8", self._page().encode())
        root = Path(settings.STATIC_ROOT).resolve()
        file = (root / path.removeprefix("/static/")).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            return _answer(HTTPStatus.NOT_FOUND, "text/plain", b"")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return _answer(HTTPStatus.OK, kind, file.read_bytes())

    def _page(self) -> str:
        cache, rendering = FragmentCache(), Rendering.of(Audience.STAFF, BOARD, None)
        shown = [cache.room(state, rendering, NOW) for state in self.rooms]
        url = "https://rooms.example.org/"
        context = board_context(
            BUILDING,
            shown,
            NOW,
            book_url=url,
            qr_svg=qr_svg(url),
            build=self.next_builds.pop(0) if self.next_builds else self.build,
        )
        return render_to_string("frontend/board.html", context)


def _answer(status: HTTPStatus, kind: str, body: bytes) -> Response:
    headers = Headers()
    headers["Content-Type"] = kind
    headers["Content-Length"] = str(len(body))
    headers["Content-Security-Policy"] = POLICY
    headers["Connection"] = "close"
    return Response(status.value, status.phrase, headers, body)
