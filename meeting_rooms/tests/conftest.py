"""Fixtures of tests that run the real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from meeting_rooms.tests.stack import Stack


@pytest.fixture
def stack(transactional_db: None, tmp_path: Path) -> Iterator[Stack]:
    """Run a web process and a worker for one test."""
    running = Stack(tmp_path)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def web_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the logs of a module's processes."""
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def _module_stack(django_db_setup: None, web_folder: Path) -> Iterator[Stack]:
    running = Stack(web_folder)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def shared_stack(transactional_db: None, _module_stack: Stack) -> Stack:
    """Return processes that the module's tests share; each test has a database to itself."""
    return _module_stack
