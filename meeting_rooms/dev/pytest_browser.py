"""Pytest plugin: one browser for the tests of every app."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio

if TYPE_CHECKING:
    from playwright.async_api import Browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> "AsyncIterator[Browser]":
    """Run one browser for all tests; each test opens a context of its own."""
    # Imported late: most runs need no browser, and frontend.tests reads the settings.
    from playwright.async_api import async_playwright

    from frontend.tests.browser.chromium import SWITCHES, chromium

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
        yield browser
        await browser.close()
