"""A browser tab with the board, whose clock stands still until a test moves it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from playwright.async_api import Page

from frontend.tests.browser.server import PATIENCE_S, TOPIC, Connection, ScriptedServer
from frontend.tests.factories import NOW
from realtime.protocol.messages import instant

# Chance and sleep are set by the test, and sockets are counted where they are made.
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
BEAT_MS = 4_000


class Screen:
    """The board in a tab. Time is in milliseconds, and goes on only when a method says so."""

    def __init__(self, page: Page, server: ScriptedServer) -> None:
        self.page = page
        self.server = server
        self.elapsed_ms = 0
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    async def open(self) -> Connection:
        """Load the board; return its socket."""
        await self.page.clock.install(time=NOW - timedelta(seconds=10))  # runs until it is stopped
        await self.page.clock.pause_at(NOW)
        await self.page.add_init_script(INSTRUMENTS)
        await self.page.goto(self.server.url)
        return await self.server.connected()

    async def come_alive(
        self, connection: Connection | None = None, *, build: str = "b1"
    ) -> Connection:
        """Load the board, or go on with a socket, and be live."""
        connection = connection or await self.open()
        await connection.expect("subscribe")
        await self.greet(connection, build)
        await self.snapshot(connection)
        await self.beat(connection)
        await connection.settled()
        assert await self.state() == "live"
        return connection

    async def greet(self, connection: Connection, build: str = "b1") -> None:
        """Send what every connection begins with."""
        await connection.send("hello", at=self.at(), build=build, heartbeat_s=4)

    async def snapshot(self, connection: Connection, *rooms: dict[str, Any], **more: Any) -> None:
        """Send a snapshot of what differs."""
        members = {"at": self.at(), "gone": [], "full": False, "rooms": list(rooms), **more}
        await connection.send("snapshot", topic=TOPIC, **members)

    async def beat(
        self, connection: Connection, digest: dict[str, int] | None = None, *, age_ms: int = 0
    ) -> None:
        """Send a heartbeat, by default with the digest of the server's rooms and fresh."""
        digest = self.server.digest() if digest is None else digest
        await connection.send("heartbeat", at=self.at(), age_ms=age_ms, digest=digest)

    async def room(self, connection: Connection, body: dict[str, Any]) -> None:
        """Send one room's newest state."""
        await connection.send("room", topic=TOPIC, room=body)

    def instant(self) -> datetime:
        """Return the server's time."""
        return NOW + timedelta(milliseconds=self.elapsed_ms)

    def at(self) -> str:
        """Return the server's time as frames carry it."""
        return instant(self.instant())

    async def passes(self, ms: int) -> None:
        """Let time pass; every timer fires at its instant."""
        self.elapsed_ms += ms
        await self.page.clock.run_for(ms)

    async def lives(self, connection: Connection, ms: int) -> None:
        """Let time pass while the server vouches."""
        while ms > 0:
            await self.passes(min(ms, BEAT_MS))
            await self.beat(connection)
            await connection.settled()
            ms -= BEAT_MS

    async def is_cut_off(self) -> None:
        """Wait until the page knows that its socket has ended."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self.page.evaluate("window.ended === window.opened"):
                await asyncio.sleep(0.001)

    async def comes_back(self, after_ms: float) -> Connection:
        """Return the next socket; fail unless it is opened that long after the end of the last."""
        await self.is_cut_off()
        opened = await self.page.evaluate("window.opened")
        await self.passes(max(0, round(after_ms) - TOLERANCE_MS))
        if after_ms > TOLERANCE_MS:
            assert await self.page.evaluate("window.opened") == opened, "too soon"
        await self.passes(2 * TOLERANCE_MS)
        assert await self.page.evaluate("window.opened") == opened + 1, "too late"
        return await self.server.connected()

    async def hide(self, is_hidden: bool) -> None:
        """Put the tab behind others, or in front."""
        await self.page.evaluate(HIDE, is_hidden)

    async def sleeps(self, ms: int) -> None:
        """Let the wall clock alone go on, as on machines whose monotonic clock sleeps with them."""
        await self.page.evaluate("(ms) => { window.slept += ms; }", ms)
        self.elapsed_ms += max(0, ms)

    async def freezes(self, ms: int) -> None:
        """Let both clocks go on while no timer fires."""
        self.elapsed_ms += ms
        await self.page.clock.fast_forward(ms)

    async def luck(self, chance: float) -> None:
        """Set what Math.random returns from now on."""
        await self.page.evaluate("(chance) => { window.luck = chance; }", chance)

    async def build(self) -> str | None:
        """Return the build that the page is of."""
        return await self.page.locator("main").get_attribute("data-build")

    async def state(self) -> str:
        """Return what the page says of itself."""
        return await self.page.evaluate("document.documentElement.dataset.live")

    async def version(self, name: str) -> int:
        """Return the version of a room as the page holds it."""
        return int(await self.row(name).get_attribute("data-version") or -1)

    def row(self, name: str) -> Any:
        """Return the locator of a room's row."""
        return self.page.locator(f"#room-id-{name}")
