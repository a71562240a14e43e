"""One origin on loopback: the board, its static files, and a socket whose frames a test writes."""

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
PATIENCE_S = 60.0  # a last resort: on a busy machine the browser takes its time
POLICY = "; ".join(
    f"{name} {' '.join(sources)}"
    for name, sources in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].items()
)  # the site's own
BUILDING = BoardBuilding(
    "harbour-house", "Harbour House", ZONE, (BoardFloor("harbour-house-2", "Floor 2"),)
)


def row(state: LiveState) -> dict[str, Any]:
    """Return a room's body as pages get it."""
    return json.loads(messages.encode(messages.view_body(state, BoardFragments().room(state, NOW))))


@dataclass
class Connection:
    """One socket of the page, in the order they were opened."""

    socket: ServerConnection
    received: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    syncs: int = 1000
    acks: list[int] = field(default_factory=list)  # kept apart: they come between all others

    async def send(self, type: str, **members: Any) -> None:
        """Send one frame."""
        await self.socket.send(messages.encode({"type": type, **members}))

    async def expect(self, type: str) -> dict[str, Any]:
        """Return the page's next frame of a type, passing over those of other types."""
        async with asyncio.timeout(PATIENCE_S):
            while (frame := await self.received.get())["type"] != type:
                pass
        return frame

    def left(self, type: str) -> list[dict[str, Any]]:
        """Take what has arrived and not been read; return the frames of a type."""
        frames = [self.received.get_nowait() for _ in range(self.received.qsize())]
        return [frame for frame in frames if frame["type"] == type]

    async def settled(self) -> None:
        """Wait until the page has dealt with everything sent so far."""
        self.syncs += 1
        await self.send("sync", n=self.syncs)
        async with asyncio.timeout(PATIENCE_S):
            while self.syncs not in self.acks:
                await asyncio.sleep(0.001)

    async def close(self, code: int) -> None:
        """Close in good order."""
        await self.socket.close(code)

    def abort(self) -> None:
        """Cut the line: the page sees 1006."""
        self.socket.transport.abort()


class ScriptedServer:
    """Serves one building's board. Whatever changes the page or the rooms is set between steps."""

    def __init__(self) -> None:
        self.rooms = [free_room("Dogger"), free_room("Fisher"), free_room("Humber")]
        self.build = "b1"
        self.next_builds: list[str] = []  # of the pages before those of `build`
        self.pages_served = 0
        self.breaks_pages = False
        self.refuses_sockets = False  # as a proxy does whose web process is away
        self.connections: asyncio.Queue[Connection] = asyncio.Queue()
        self._open: list[ServerConnection] = []
        self._server: Server | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await serve(
            self._socket, "127.0.0.1", 0, process_request=self._http, ping_interval=None
        )

    async def stop(self) -> None:
        """Cut every line and stop listening."""
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
        """Return the page's next socket."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.connections.get()

    async def served(self, pages: int) -> None:
        """Wait until so many pages have been asked for."""
        async with asyncio.timeout(PATIENCE_S):
            while self.pages_served < pages:
                await asyncio.sleep(0.001)

    def change(self, index: int, **changes: Any) -> dict[str, Any]:
        """Give a room its next version; return its body."""
        old = self.rooms[index]
        self.rooms[index] = replace(old, **{"version": old.version + 1, **changes})
        return row(self.rooms[index])

    def digest(self) -> dict[str, int]:
        """Return the digest of the rooms as they are."""
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
            pass  # however a line ends is what the tests are about

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
