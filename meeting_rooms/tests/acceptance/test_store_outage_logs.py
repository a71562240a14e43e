"""The log of the real processes while a real store is away."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meeting_rooms.dev import servers
from meeting_rooms.dev.servers import ENVIRONMENT, ServiceName
from meeting_rooms.tests.dev.servers_environment import clean_up, ignore, start_all
from meeting_rooms.tests.stack import ROOT, Stack

GIVE_UP_S = 120.0  # the test fails if a process hangs so long
REQUESTS = 25  # each fails without the store; the loops of both processes fail meanwhile
LINES_AT_MOST = 8  # per process and outage: start, end, liveness lost and regained, …
PATHS = ("/readyz", "/api/v1/rooms", "/board/none", "/accounts/sign-in")


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


class Log:
    """The log of one process, read from the last position of the reader."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def lines(self) -> list[str]:
        """Return the new lines, without the access line of each request."""
        return [line for line in self._new().splitlines() if '"event": "request"' not in line]

    def skip(self) -> None:
        self._read += len(self._new())

    def events(self, store: ServiceName) -> list[str]:
        """Return the new events about a store, in their order."""
        found = (json.loads(line) for line in self.lines() if line.startswith("{"))
        return [event["event"] for event in found if event.get("store") == store]

    def _new(self) -> str:
        return self._path.read_text()[self._read :]


class Running:
    """A web process and a worker, on servers that only they use."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        started = start_all(self.data_dir, os.getpid())
        extra = {ENVIRONMENT[name]: url for name, url in started.urls.items()}
        extra |= {"LOG_LEVEL": "INFO", "DATA_DIR": str(self.data_dir), "DRAIN_SPREAD_S": "0"}
        self.stack = Stack(folder, extra)
        self.logs = {name: Log(folder / f"{name}.log") for name in ("web", "worker")}

    def start(self) -> None:
        prepare = [sys.executable, "manage.py", "prepare"]
        subprocess.run(prepare, cwd=ROOT, env=self.stack.environment, check=True, timeout=GIVE_UP_S)
        self.stack.start()
        wait_until(lambda: self.get("/readyz") == 200)

    def stop(self) -> None:
        self.stack.stop()
        clean_up(self.data_dir)

    def get(self, path: str) -> int:
        try:
            return urllib.request.urlopen(self.stack.url + path, timeout=30).status
        except urllib.error.HTTPError as exc:
            return exc.code


@pytest.fixture(scope="module")
def running(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    both = Running(tmp_path_factory.mktemp("outage"))
    try:
        both.start()
        yield both
    finally:
        both.stop()


@pytest.mark.timeout(2 * GIVE_UP_S)
@pytest.mark.parametrize("store", list(ServiceName))
def test_processes__a_store_is_away__log_its_start_and_its_end(running: Running, store):
    for log in running.logs.values():
        log.skip()
    # Without a changed room the worker does not use Redis, and logs nothing about it.
    concerned = ("web",) if store is ServiceName.REDIS else ("web", "worker")
    servers.stop(running.data_dir, names=[store], report=ignore)
    wait_until(lambda: running.get("/readyz") == 503)
    answers = [running.get(PATHS[n % len(PATHS)]) for n in range(REQUESTS)]
    assert answers[0] == 503
    wait_until(lambda: all(running.logs[name].events(store) for name in concerned))
    start_all(running.data_dir, os.getpid())
    wait_until(lambda: running.get("/readyz") == 200)
    wait_until(
        lambda: all("store_answers_again" in running.logs[n].events(store) for n in concerned)
    )
    for name, log in running.logs.items():
        lines = log.lines()
        print(f"{store}, {name}: {len(lines)} lines")
        expected = ["store_unavailable", "store_answers_again"] if name in concerned else []
        assert log.events(store) == expected, "\n".join(lines)
        assert "Traceback" not in "\n".join(lines)
        assert len(lines) <= LINES_AT_MOST, "\n".join(lines)
