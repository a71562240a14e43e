"""Cleaning up after runs that were killed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from meeting_rooms.dev.servers import ServiceName, ServiceState, reap_orphans, start, status
from meeting_rooms.tests.dev.servers_environment import a_process, clean_up, ignore, start_redis


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for folder in tmp_path.iterdir():
        clean_up(folder)


def redis_state(data_dir: Path) -> ServiceState:
    return next(one.state for one in status(data_dir) if one.name is ServiceName.REDIS)


def test_reap_orphans__owner_is_dead__stops_servers_and_deletes_test_folders(root: Path) -> None:
    with a_process() as owner_pid:
        start_redis(root / "test-1", owner_pid)
        start_redis(root / "run", owner_pid)

    reap_orphans(root, ignore)

    assert not (root / "test-1").exists()
    assert redis_state(root / "run") is ServiceState.STOPPED


def test_reap_orphans__owner_alive_or_none__keeps_the_servers(root: Path) -> None:
    start_redis(root / "test-living", os.getpid())
    start_redis(root / "test-detached", None)

    reap_orphans(root, ignore)

    assert redis_state(root / "test-living") is ServiceState.RUNNING
    assert redis_state(root / "test-detached") is ServiceState.RUNNING


def test_reap_orphans__postgres_of_a_test_folder__is_stopped_and_its_data_deleted(
    root: Path,
) -> None:
    data_dir = root / "test-postgres"
    with a_process() as owner_pid:
        start(data_dir, wanted=[ServiceName.POSTGRES], owner_pid=owner_pid, report=ignore)
        data = (data_dir / "postgres").resolve()
    assert data.exists()

    reap_orphans(root, ignore)

    assert not data_dir.exists()
    assert not data.exists()


def test_reap_orphans__damaged_record__is_reported_and_skipped(root: Path) -> None:
    (root / "test-broken").mkdir()
    (root / "test-broken" / "services.json").write_text("{")
    lines: list[str] = []
    reap_orphans(root, lines.append)
    (root / "test-broken" / "services.json").unlink()
    assert "Skipping" in lines[0]


def test_reap_orphans__no_such_root__does_nothing(root: Path) -> None:
    reap_orphans(root / "missing", ignore)
