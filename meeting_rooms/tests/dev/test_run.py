"""`manage.py run`: one command from an empty folder to a live board; all processes end with it."""

import os
import re
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from meeting_rooms.dev import servers
from meeting_rooms.dev.servers import ENVIRONMENT, ServiceName, ServiceState
from meeting_rooms.dev.servers.ports import free_port
from meeting_rooms.management.commands.run import FIRST_PORT, port_to_use
from meeting_rooms.tests.stack import Process

GIVE_UP_S = 150.0  # the test fails if the command hangs so long; the speed is measured elsewhere
LOG_LINE = re.compile(r"\[(debug|info|warning|error|critical) *\]|Traceback")


def wait_until(condition: Callable[[], object], process: Process) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not condition():
        assert process.is_alive, process.output
        assert time.monotonic() < deadline, process.output
        time.sleep(0.1)


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    cleared = {*ENVIRONMENT.values(), "SECRET_KEY", "DEMO", "MONGODB_DATABASE", "ALLOWED_HOSTS"}
    cleared.add("LOG_JSON")
    kept = {name: value for name, value in os.environ.items() if name not in cleared}
    return {**kept, "DATA_DIR": str(data_dir), **more}


@contextmanager
def running(*arguments: str, log: Path, environ: dict[str, str]) -> Iterator[Process]:
    process = Process(["manage.py", "run", *arguments], log, environ)
    try:
        yield process
    finally:
        process.stop()


def pids(data_dir: Path) -> dict[ServiceName, int | None]:
    return {one.name: one.pid for one in servers.status(data_dir)}


@pytest.mark.timeout(3 * GIVE_UP_S)
def test_run__empty_folder__shows_a_board_restarts_its_stores_and_cleans_up(tmp_path: Path):
    data_dir, port = settings.DATA_DIR / "run", free_port()
    environ = environment(data_dir, LOG_LEVEL="INFO")
    board = f"http://127.0.0.1:{port}/board/harbour-house"
    with running("--port", str(port), log=tmp_path / "log", environ=environ) as process:
        wait_until(lambda: "Ctrl-C stops everything" in process.output, process)
        wait_until(lambda: rooms_on(board) == 10, process)  # projected a moment after the start
        assert "admin@demo.example" in process.output

        before = pids(data_dir)
        for pid in before.values():
            psutil.Process(pid).kill()
        wait_until(lambda: process.output.count("starting it again") == 3, process)
        wait_until(lambda: all(pids(data_dir).values()), process)
        assert not set(before.values()) & set(pids(data_dir).values())
        wait_until(lambda: is_ready(port), process)

        process.signal(signal.SIGINT)
        assert process.wait(60) == 0, process.output
    log = data_dir / "logs" / "run.log"
    assert f"Logs:                   {log}" in process.output
    assert not LOG_LINE.search(process.output), process.output
    assert {"worker", "simulator"} <= set(re.findall(r"process=(\w+)", log.read_text()))
    states = {status.state for status in servers.status(data_dir)}
    assert states == {ServiceState.STOPPED}


def rooms_on(board: str) -> int:
    page = urllib.request.urlopen(board, timeout=30).read().decode()
    return page.count('class="lb-room')


def is_ready(port: int) -> bool:
    with suppress(OSError):
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10).status == 200
    return False


def test_run__stores_do_not_answer__prints_the_end_of_the_log(tmp_path: Path):
    closed = f"127.0.0.1:{free_port()}"
    urls = {"DATABASE_URL": f"postgres://a:b@{closed}/c", "REDIS_URL": f"redis://{closed}/0"}
    urls["MONGODB_URL"] = f"mongodb://{closed}/"
    environ = environment(tmp_path / "data", **urls)
    with running("--port", str(free_port()), log=tmp_path / "log", environ=environ) as process:
        assert process.wait(GIVE_UP_S) == 1
    log = tmp_path / "data" / "logs" / "run.log"
    assert f"The stores could not be prepared. The last lines of {log}:" in process.output
    assert "PostgreSQL has given no connection" in process.output


def test_run__port_is_taken__names_the_next_free_port_and_starts_nothing():
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(CommandError) as refused:
            call_command("run", port=taken)
    found = re.fullmatch(
        rf"Port {taken} is taken. The next free port is (\d+): "
        r'make run ARGS="--port (\d+)"', str(refused.value)
    )  # fmt: skip
    assert found
    assert int(found[1]) == int(found[2]) != taken


def test_run__default_port_is_taken__uses_the_next_free_port_and_reports_it():
    lines: list[str] = []
    with suppress(OSError):  # the port may be taken already
        other = socket.create_server(("127.0.0.1", FIRST_PORT))
    try:
        port = port_to_use(None, lines.append)
    finally:
        with suppress(NameError):
            other.close()
    assert port != FIRST_PORT
    assert lines == [f"Port {FIRST_PORT} is taken. Meeting Rooms uses the next free port: {port}."]


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_run__invalid_port__is_refused(port: int):
    with pytest.raises(CommandError, match=f"{port} is not a port"):
        port_to_use(port, print)
