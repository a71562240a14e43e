"""Real displays: the board in tabs of a Chromium, with the page and scripts of the product."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, Route, async_playwright

Change = tuple[str, str]  # the text to replace in the scripts, and its replacement


class Display:
    """A tab. `loads` counts how often the page was loaded."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.loads = 0
        page.on("load", self._count)

    def _count(self, _page: Page) -> None:
        self.loads += 1

    async def is_live(self) -> bool:
        return await self._ask("document.documentElement.dataset.live") == "live"

    async def build(self) -> str:
        return await self._ask("document.querySelector('[data-build]').dataset.build")

    async def clock(self) -> str:
        """Return the time that the board shows, as HH:MM."""
        return await self._ask("document.querySelector('[data-clock]').textContent.trim()")

    async def _ask(self, script: str) -> str:
        return str(await self.page.evaluate(script))


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    from frontend.tests.browser.chromium import SWITCHES, chromium  # reads the settings

    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
        try:
            yield running
        finally:
            await running.close()


async def open_display(
    running: Browser, url: str, *, first: str = "", change: Change | None = None
) -> Display:
    """Open a page in its own profile, after running `first` in it, with changed scripts."""
    context = await running.new_context(viewport={"width": 960, "height": 540})
    page = await context.new_page()
    if first:
        await page.add_init_script(first)
    if change:
        await page.route("**/*.js", lambda route: _changed(route, change))
    display = Display(page)
    await page.goto(url)
    return display


async def _changed(route: Route, change: Change) -> None:
    answer = await route.fetch()
    await route.fulfill(response=answer, body=(await answer.text()).replace(*change))
