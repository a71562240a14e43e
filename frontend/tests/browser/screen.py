"""A browser tab with the board. The tab's clock stands still until a test advances it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from playwright.async_api import Page

from frontend.tests.browser.server import TIMEOUT_S, TOPIC, Connection, ScriptedServer
from frontend.tests.factories import NOW
from realtime.protocol.messages import instant

# A test sets the random numbers and the machine's sleep; sockets are counted when created.
INSTRUMENTS = """
window.opened = 0; window.ended = 0; window.luck = 0;
Math.random = () => window.luck;
window.slept = 0;
const wall = Date.now;
Date.now = () => wall() + window.slept;
window.WebSocket = class extends WebSocket {
  constructor(url) {
    super(url);
    window.opened++;
    this.addEventListener("close", () => window.ended++);
  }
};
"""
HIDE = """(isHidden) => {
  Object.defineProperty(document, "hidden", {value: isHidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""
TOLERANCE_MS = 5
HEARTBEAT_MS = 4_000


class Screen:
    """The board in a tab. Times are in milliseconds; only methods advance the clock."""

    def __init__(self, page: Page, server: ScriptedServer) -> None:
        self.page = page
        self.server = server
        self.elapsed_ms = 0
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    async def open(self) -> Connection:
        """Load the board; return its socket."""
        await self.page.clock.install(time=NOW - timedelta(seconds=10))  # runs until paused
        await self.page.clock.pause_at(NOW)
        await self.page.add_init_script(INSTRUMENTS)
        await self.page.goto(self.server.url)
        return await self.server.connected()

    async def become_live(
        self, connection: Connection | None = None, *, build: str = "b1"
    ) -> Connection:
        """Make the board live and return its socket; load the page unless a socket is given."""
        connection = connection or await self.open()
        await connection.expect("subscribe")
        await self.hello(connection, build)
        await self.snapshot(connection)
        await self.heartbeat(connection)
        await connection.processed()
        assert await self.state() == "live"
        return connection

    async def hello(self, connection: Connection, build: str = "b1") -> None:
        """Send the hello, the first frame of every connection."""
        await connection.send("hello", at=self.at(), build=build, heartbeat_s=4)

    async def snapshot(self, connection: Connection, *rooms: dict[str, Any], **more: Any) -> None:
        """Send a snapshot that contains these rooms."""
        members = {"at": self.at(), "gone": [], "full": False, "rooms": list(rooms), **more}
        await connection.send("snapshot", topic=TOPIC, **members)

    async def heartbeat(
        self, connection: Connection, digest: dict[str, int] | None = None, *, age_ms: int = 0
    ) -> None:
        """Send a heartbeat; the default is a fresh one with the digest of the server's rooms."""
        digest = self.server.digest() if digest is None else digest
        await connection.send("heartbeat", at=self.at(), age_ms=age_ms, digest=digest)

    async def room(self, connection: Connection, body: dict[str, Any]) -> None:
        """Send the newest state of one room."""
        await connection.send("room", topic=TOPIC, room=body)

    def instant(self) -> datetime:
        """Return the server's time."""
        return NOW + timedelta(milliseconds=self.elapsed_ms)

    def at(self) -> str:
        """Return the server's time in the format of frames."""
        return instant(self.instant())

    async def advance(self, ms: int) -> None:
        """Advance the clock; every timer fires at its instant."""
        self.elapsed_ms += ms
        await self.page.clock.run_for(ms)

    async def advance_live(self, connection: Connection, ms: int) -> None:
        """Advance the clock; send a heartbeat at least every 4 s."""
        while ms > 0:
            await self.advance(min(ms, HEARTBEAT_MS))
            await self.heartbeat(connection)
            await connection.processed()
            ms -= HEARTBEAT_MS

    async def wait_until_disconnected(self) -> None:
        """Wait until the page has noticed the end of its socket."""
        async with asyncio.timeout(TIMEOUT_S):
            while not await self.page.evaluate("window.ended === window.opened"):
                await asyncio.sleep(0.001)

    async def reconnected(self, after_ms: float) -> Connection:
        """Return the next socket; fail unless it opens `after_ms` after the end of the last one."""
        await self.wait_until_disconnected()
        opened = await self.page.evaluate("window.opened")
        await self.advance(max(0, round(after_ms) - TOLERANCE_MS))
        if after_ms > TOLERANCE_MS:
            assert await self.page.evaluate("window.opened") == opened, "too soon"
        await self.advance(2 * TOLERANCE_MS)
        assert await self.page.evaluate("window.opened") == opened + 1, "too late"
        return await self.server.connected()

    async def hide(self, is_hidden: bool) -> None:
        """Make the tab hidden or visible."""
        await self.page.evaluate(HIDE, is_hidden)

    async def suspend(self, ms: int) -> None:
        """Advance only the wall clock, as on machines whose monotonic clock stops in sleep."""
        await self.page.evaluate("(ms) => { window.slept += ms; }", ms)
        self.elapsed_ms += max(0, ms)

    async def freeze(self, ms: int) -> None:
        """Advance both clocks; no timer fires."""
        self.elapsed_ms += ms
        await self.page.clock.fast_forward(ms)

    async def luck(self, value: float) -> None:
        """Set the value that Math.random returns from now on."""
        await self.page.evaluate("(chance) => { window.luck = chance; }", value)

    async def build(self) -> str | None:
        """Return the build of the page."""
        return await self.page.locator("main").get_attribute("data-build")

    async def state(self) -> str:
        """Return the page's connection state, such as `live` or `stale`."""
        return await self.page.evaluate("document.documentElement.dataset.live")

    async def version(self, name: str) -> int:
        """Return the version of a room's row in the page."""
        return int(await self.row(name).get_attribute("data-version") or -1)

    def row(self, name: str) -> Any:
        """Return the locator of a room's row."""
        return self.page.locator(f"#room-id-{name}")
