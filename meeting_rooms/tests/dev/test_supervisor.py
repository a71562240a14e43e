"""The supervisor of `manage.py run`, with real child processes."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from meeting_rooms.dev.supervisor import (
    RESTARTS_AT_MOST,
    Child,
    RestartBudget,
    Supervisor,
    TooManyRestartsError,
)

OLD, NEW = "redis://127.0.0.1:1/0", "redis://127.0.0.1:2/0"
SHOW_URL = "import os, time; print(os.environ['REDIS_URL'], flush=True); time.sleep(600)"


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """Restore the signal handlers of this process after a test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "run.log"


def test_watch__a_store_has_a_new_address__restarts_the_children_with_it(log: Path):
    lines: list[str] = []
    child = Child("shell", ["shell", "--no-imports", "-c", SHOW_URL])

    def watch_stores() -> dict[str, str]:
        seen = log.read_text()
        if NEW in seen:
            signal.raise_signal(signal.SIGTERM)  # like a signal during the start of a store
        return {"REDIS_URL": NEW} if OLD in seen and not lines else {}

    supervisor = Supervisor(
        [child],
        {**os.environ, "REDIS_URL": OLD},
        log=log,
        report=lines.append,
        watch_stores=watch_stores,
    )
    supervisor.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            supervisor.watch()
    finally:
        supervisor.stop()
    assert log.read_text().split() == [OLD, NEW]
    assert lines == ["A store has another address; starting the processes again."]
    assert supervisor.is_stopping
    assert supervisor.ended() == ["shell"]


def test_watch__a_child_that_ends_too_often__is_an_error(log: Path):
    budget = RestartBudget(lambda: 0.0)
    child = Child("web", ["serve"], budget=budget)
    for _ in range(RESTARTS_AT_MOST):
        assert budget.spend()
    supervisor = Supervisor([child], {}, log=log, report=print, watch_stores=dict)
    with pytest.raises(TooManyRestartsError, match="web ended more than 5 times within 120 s"):
        supervisor.watch()
