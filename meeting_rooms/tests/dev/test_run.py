"""`manage.py run`: one command from nothing to a live board, and nothing left behind."""

import os
import signal
import time
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings

from meeting_rooms.dev import servers
from meeting_rooms.dev.servers import ENVIRONMENT, ServiceState
from meeting_rooms.tests.stack import Process, free_port

READY_WITHIN_S = 45.0


@pytest.mark.timeout(120)
def test_run__empty_folder__shows_a_live_board_and_ctrl_c_leaves_nothing(tmp_path: Path):
    data_dir, port = settings.DATA_DIR / "run", free_port()
    cleared = {*ENVIRONMENT.values(), "SECRET_KEY", "DEMO", "MONGODB_DATABASE", "ALLOWED_HOSTS"}
    environment = {name: value for name, value in os.environ.items() if name not in cleared}
    environment["DATA_DIR"] = str(data_dir)
    process = Process(["manage.py", "run", "--port", str(port)], tmp_path / "log", environment)
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while "Ctrl-C stops everything" not in process.output:
            assert process.is_alive, process.output
            assert time.monotonic() < deadline, process.output
            time.sleep(0.1)
        board = f"http://127.0.0.1:{port}/board/harbour-house"
        page = urllib.request.urlopen(board, timeout=10).read().decode()
        process.signal(signal.SIGINT)
        assert process.wait(40) == 0, process.output
    finally:
        process.stop()
    assert page.count('class="lb-room') == 10
    assert "admin@demo.example" in process.output
    states = {status.state for status in servers.status(data_dir)}
    assert states == {ServiceState.STOPPED}
