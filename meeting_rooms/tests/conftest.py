"""Fixtures of tests that run the real processes."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from meeting_rooms.tests.stack import Stack

_shared: list[Stack] = []


@pytest.fixture
def stack(transactional_db: None, tmp_path: Path) -> Iterator[Stack]:
    """Run a web process and a worker for one test."""
    running = Stack(tmp_path)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def shared_stack(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Return processes that consecutive tests share; each test has its own database."""
    if not (_shared and _shared[0].is_alive):
        _stop_shared()  # one of the two processes has ended
        _shared.append(Stack(tmp_path_factory.mktemp("stack")))
        _shared[0].start()
    return _shared[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the last output of the real processes to the report of a failed test."""
    report = yield
    if report.failed:
        stacks = [one for one in getattr(item, "funcargs", {}).values() if isinstance(one, Stack)]
        for stack in stacks:
            report.sections += stack.ends_of_logs()
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop the shared processes if the next test does not use them.

    They would work on that test's data: they follow the same database.
    """
    try:
        return (yield)
    finally:
        if "shared_stack" not in getattr(nextitem, "fixturenames", ()):
            _stop_shared()


def _stop_shared() -> None:
    while _shared:
        _shared.pop().stop()
