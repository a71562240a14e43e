"""A board in a real browser, photographed twice a second, with the statements of each picture."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from playwright.async_api import Page

from realtime.tests.faults.browser import Change, browser, open_display

EVERY_S = 0.5
LOOK = """() => ({
  state: document.documentElement.dataset.live,
  free: [...document.querySelectorAll(".lb-room.is-free, .lb-room.is-soon")].map((row) => row.id),
})"""


@dataclass(frozen=True, slots=True)
class Picture:
    """The board at one instant. `free`: rooms that the board shows as free."""

    at: float
    phase: str
    state: str
    free: frozenset[str]

    @property
    def is_claim(self) -> bool:
        """Return whether the picture has colours: a stale board has none and claims nothing."""
        return self.state != "stale"


class Photographer:
    """Takes pictures until it is stopped; the file names contain second, phase and state."""

    def __init__(self, page: Page, folder: Path) -> None:
        self._page = page
        self._folder = folder
        self._began = monotonic()
        self.phase = "before"
        self.pictures: list[Picture] = []

    async def run(self) -> None:
        while True:
            await self._take()
            await asyncio.sleep(EVERY_S)

    async def _take(self) -> None:
        at = monotonic()
        found = await self._page.evaluate(LOOK)
        free = frozenset(row.removeprefix("room-") for row in found["free"])
        picture = Picture(at, self.phase, found["state"], free)
        name = f"{at - self._began:06.1f}-{self.phase}-{picture.state}.jpeg"
        await self._page.screenshot(path=self._folder / name, type="jpeg", quality=60)
        self.pictures.append(picture)

    def is_live(self) -> bool:
        return bool(self.pictures) and self.pictures[-1].state == "live"


@asynccontextmanager
async def photographed(
    url: str, folder: Path, *, change: Change | None = None
) -> AsyncIterator[Photographer]:
    """Open the address in a browser and photograph the page into an existing folder."""
    async with browser() as running:
        display = await open_display(running, url, change=change)
        photographer = Photographer(display.page, folder)
        taking = asyncio.get_running_loop().create_task(photographer.run(), name="photographer")
        try:
            yield photographer
        finally:
            taking.cancel()
            await asyncio.wait([taking])
            pictures = [[p.at, p.phase, p.state, sorted(p.free)] for p in photographer.pictures]
            (folder / "pictures.json").write_text(json.dumps(pictures))
