"""Stopping servers whose starter, another process, is still alive."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from meeting_rooms.dev.servers import ServiceName, ServiceState, status, stop
from meeting_rooms.tests.dev.servers_environment import clean_up, ignore

STARTER = """
import os, sys
from pathlib import Path
from meeting_rooms.dev.servers import ServiceName, start
start(Path(sys.argv[1]), wanted=[ServiceName.REDIS], owner_pid=os.getpid(), report=print)
print("started", flush=True)
input()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "servers"
    clean_up(tmp_path / "servers")


def test_stop__living_starter_does_not_reap__ends_at_once(folder: Path) -> None:
    """The ended server is a zombie of its starter; `stop` must not wait for the starter."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with starter:
        assert starter.stdout is not None
        assert any("started" in line for line in iter(starter.stdout.readline, ""))
        began = time.monotonic()
        assert stop(folder, report=ignore) == [ServiceName.REDIS]
        assert time.monotonic() - began < 5
        states = {one.name: one.state for one in status(folder)}
        assert states[ServiceName.REDIS] is ServiceState.STOPPED
        starter.kill()
