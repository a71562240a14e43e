"""Each test of this folder gets a server and a tab of its own; all tests share one browser."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from frontend.tests.browser.screen import Screen
from frontend.tests.browser.server import ScriptedServer


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
