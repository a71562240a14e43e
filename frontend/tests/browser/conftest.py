"""One browser for all tests of this folder; a server and a tab for each."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from frontend.tests.browser.screen import Screen
from frontend.tests.browser.server import ScriptedServer

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Return the program; fail with what to install if there is none."""
    named = os.environ.get("CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else PROGRAMS)), None)
    if found is None:
        pytest.fail(
            "The browser tests need a Chromium. Install one (Debian: apt install chromium) "
            f"so that one of {', '.join(PROGRAMS)} is on the PATH, or name one: CHROMIUM=/path.",
            pytrace=False,
        )
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    program = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=SWITCHES)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def screen(browser: Browser, server: ScriptedServer) -> AsyncIterator[Screen]:
    context = await browser.new_context(viewport={"width": 960, "height": 540})
    screen = Screen(await context.new_page(), server)
    yield screen
    await context.close()
    assert screen.errors == [], "no frame may make a script fail"
