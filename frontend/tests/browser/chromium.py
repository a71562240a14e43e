"""The browser of the tests: its program and its command-line switches."""

import os
import shutil

import pytest

from meeting_rooms.dev.install import BROWSERS

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
    """Return the path of a Chromium; without one, fail the test with installation advice."""
    named = os.environ.get("CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else BROWSERS)), None)
    if found is None:
        pytest.fail(
            "The browser tests need a Chromium. Install one (Debian: apt install "
            f"chromium-headless-shell) so that one of {', '.join(BROWSERS)} is on the PATH, or "
            "name one: CHROMIUM=/path.",
            pytrace=False,
        )
    return found
