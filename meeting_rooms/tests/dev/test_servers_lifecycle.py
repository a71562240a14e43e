"""Start, sharing, recovery and stop of real servers."""

import json
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest
import redis
from pymongo.errors import OperationFailure

from meeting_rooms.dev.servers import (
    ENVIRONMENT,
    ServiceName,
    ServiceState,
    Started,
    start,
    status,
    stop,
)
from meeting_rooms.local_stores import recorded_urls
from meeting_rooms.tests.dev.servers_environment import (
    a_process,
    clean_up,
    ignore,
    is_redis_up,
    kill_and_wait,
    mongo_client,
    postgres_query,
    start_all,
    start_redis,
)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("embedded") / "main"
    yield folder
    clean_up(folder)


@pytest.fixture
def servers(data_dir: Path) -> Started:
    """Return the three servers. The first test starts them, and this process owns them."""
    return start_all(data_dir, os.getpid())


@pytest.fixture
def other_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "other"
    yield folder
    clean_up(folder)


def pid_of(data_dir: Path, name: ServiceName) -> int:
    pid = next(one.pid for one in status(data_dir) if one.name is name)
    assert pid is not None
    return pid


def test_start__cold__gives_a_utf8_postgres_in_utc(servers: Started) -> None:
    rows = postgres_query(
        servers.urls[ServiceName.POSTGRES],
        "SELECT current_database(), current_setting('server_encoding'),"
        " current_setting('TimeZone'), current_setting('max_connections'),"
        " current_setting('fsync'), lower('Ä')",
    )
    assert rows == [("meeting_rooms", "UTF8", "UTC", "200", "on", "ä")]


def test_start__cold__gives_a_mongodb_with_transactions(servers: Started) -> None:
    with mongo_client(servers.urls[ServiceName.MONGODB]) as client:
        database = client.get_default_database()
        with client.start_session() as session, session.start_transaction():
            database.probe.insert_one({"_id": "transaction"}, session=session)
        assert database.name == "meeting_rooms"
        assert database.probe.count_documents({"_id": "transaction"}) == 1


def test_start__cold__gives_a_redis_that_keeps_nothing_on_disk(servers: Started) -> None:
    with redis.Redis.from_url(servers.urls[ServiceName.REDIS], decode_responses=True) as client:
        kept = client.config_get("appendonly") | client.config_get("save")
    assert kept == {"appendonly": "no", "save": ""}


def test_start__without_the_password__is_refused_by_every_server(servers: Started) -> None:
    postgres, mongodb, in_memory = (
        _without_password(servers.urls[name])
        for name in (ServiceName.POSTGRES, ServiceName.MONGODB, ServiceName.REDIS)
    )
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres)
    with (
        mongo_client(mongodb) as client,
        pytest.raises(OperationFailure, match="requires authentication"),
    ):
        client.get_default_database().probe.find_one()
    with pytest.raises(redis.AuthenticationError):
        is_redis_up(in_memory)


def test_start__already_running__reuses_the_servers_and_does_not_own_them(
    servers: Started, data_dir: Path
) -> None:
    again = start_all(data_dir, os.getpid())
    assert again.urls == servers.urls
    assert again.started == frozenset()
    assert recorded_urls(data_dir) == servers.urls


def test_start__any__creates_only_private_files(servers: Started, data_dir: Path) -> None:
    assert servers.urls
    assert stat.S_IMODE((data_dir / "services.json").stat().st_mode) == 0o600
    for name in ("postgres", "mongodb", "redis", "logs"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o700
    record = json.loads((data_dir / "services.json").read_text())
    secrets = [server["secret"] for server in record["servers"].values()]
    texts = [path.read_text(errors="replace") for path in (data_dir / "logs").iterdir()]
    assert not any(secret in text for secret in secrets for text in texts)
    assert not list(data_dir.glob("*.key")) + list(data_dir.glob("redis/*.conf"))


def test_start__two_data_dirs_at_once__are_separate(servers: Started, other_dir: Path) -> None:
    with mongo_client(servers.urls[ServiceName.MONGODB]) as client:
        client.get_default_database().apart.insert_one({"_id": 1})
    other = start_all(other_dir, os.getpid())
    with mongo_client(other.urls[ServiceName.MONGODB]) as client:
        assert client.get_default_database().apart.count_documents({}) == 0
    assert set(other.urls.values()).isdisjoint(servers.urls.values())
    assert stop(other_dir, report=ignore) == list(ServiceName)
    assert is_redis_up(servers.urls[ServiceName.REDIS])
    assert recorded_urls(other_dir) == {}


def test_start__servers_were_killed__recovers_with_the_data(
    servers: Started, data_dir: Path
) -> None:
    postgres_query(
        servers.urls[ServiceName.POSTGRES],
        "CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (7)",
    )
    with mongo_client(servers.urls[ServiceName.MONGODB]) as client:
        client.get_default_database().kept.insert_one({"_id": 7})
    for name in ServiceName:
        kill_and_wait(pid_of(data_dir, name))
    assert {one.state for one in status(data_dir)} == {ServiceState.CRASHED}

    recovered = start_all(data_dir, os.getpid())

    assert recovered.urls == servers.urls
    assert recovered.started == frozenset(ServiceName)
    assert postgres_query(recovered.urls[ServiceName.POSTGRES], "SELECT n FROM kept") == [(7,)]
    with mongo_client(recovered.urls[ServiceName.MONGODB]) as client:
        assert client.get_default_database().kept.count_documents({"_id": 7}) == 1


def test_start__ports_were_taken_meanwhile__changes_ports_and_keeps_the_data(
    servers: Started, data_dir: Path
) -> None:
    with mongo_client(servers.urls[ServiceName.MONGODB]) as client:
        client.get_default_database().moved.insert_one({"_id": 1})
    stop(data_dir, report=ignore)
    record = json.loads((data_dir / "services.json").read_text())

    with ExitStack() as occupants:
        for server in record["servers"].values():
            with suppress(OSError):  # another process was faster: the port is taken anyway
                occupants.enter_context(socket.create_server(("127.0.0.1", server["port"])))
        moved = start_all(data_dir, os.getpid())

    assert set(moved.urls.values()).isdisjoint(servers.urls.values())
    with mongo_client(moved.urls[ServiceName.MONGODB]) as client:
        assert client.get_default_database().moved.count_documents({}) == 1


def test_start__record_was_lost__sets_new_passwords_and_keeps_the_data(
    servers: Started, data_dir: Path
) -> None:
    postgres = servers.urls[ServiceName.POSTGRES]
    postgres_query(postgres, "CREATE TABLE IF NOT EXISTS outlives (n int)")
    stop(data_dir, report=ignore)
    (data_dir / "services.json").unlink()

    found = start_all(data_dir, os.getpid())

    assert found.urls[ServiceName.POSTGRES] != postgres
    assert postgres_query(found.urls[ServiceName.POSTGRES], "SELECT n FROM outlives") == []
    with mongo_client(found.urls[ServiceName.MONGODB]) as client:
        assert client.server_info()["ok"] == 1


def test_start__owner_was_killed__becomes_the_owner(other_dir: Path) -> None:
    with a_process() as owner_pid:
        first = start_redis(other_dir, owner_pid)
        while_owned = start_redis(other_dir, os.getpid())
    pid = pid_of(other_dir, ServiceName.REDIS)

    after = start_redis(other_dir, os.getpid())

    assert first.started == after.started == frozenset({ServiceName.REDIS})
    assert while_owned.started == frozenset()
    assert pid_of(other_dir, ServiceName.REDIS) == pid


def test_start__servers_are_detached__does_not_own_them(other_dir: Path) -> None:
    start_redis(other_dir, None)
    assert start_redis(other_dir, os.getpid()).started == frozenset()


def test_start__subset_wanted__starts_nothing_else(other_dir: Path) -> None:
    lines: list[str] = []
    started = start(
        other_dir, wanted=[ServiceName.REDIS], owner_pid=os.getpid(), report=lines.append
    )
    assert set(started.urls) == started.started == {ServiceName.REDIS}
    assert lines[0] == "Starting Redis …"
    assert lines[1].startswith("Redis is ready on port")
    assert not (other_dir / "postgres").exists()


@pytest.mark.usefixtures("servers")
def test_stop__some_names__stops_only_those(data_dir: Path) -> None:
    assert stop(data_dir, names=[ServiceName.REDIS], report=ignore) == [ServiceName.REDIS]
    states = {one.name: one.state for one in status(data_dir)}
    assert states[ServiceName.REDIS] is ServiceState.STOPPED
    assert states[ServiceName.POSTGRES] is ServiceState.RUNNING
    assert ServiceName.REDIS not in recorded_urls(data_dir)


def test_stop__recorded_pid_of_another_process__does_not_stop_it(
    other_dir: Path,
) -> None:
    start_redis(other_dir, os.getpid())
    stop(other_dir, report=ignore)
    path = other_dir / "services.json"
    record = json.loads(path.read_text())
    with a_process() as stranger:
        record["servers"]["redis"]["process"] = {"pid": stranger, "started_at": 1.0}
        path.write_text(json.dumps(record))
        assert stop(other_dir, report=ignore) == []
        assert Path(f"/proc/{stranger}").exists()


def test_stop__nothing_was_ever_started__makes_no_folder(tmp_path: Path) -> None:
    assert stop(tmp_path / "never", report=ignore) == []
    assert not (tmp_path / "never").exists()


def test_status__all_running__hides_passwords_and_shows_versions(
    servers: Started, data_dir: Path
) -> None:
    assert set(servers.urls) == set(ServiceName)
    found = status(data_dir)
    assert [one.state for one in found] == [ServiceState.RUNNING] * len(ServiceName)
    assert all("***@127.0.0.1" in (one.url or "") and one.version for one in found)


def test_environment__every_service__has_a_variable() -> None:
    assert set(ENVIRONMENT) == set(ServiceName)


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    place = rest.partition("@")[2].replace("authSource=admin&", "")
    user = "meeting_rooms@" if scheme == "postgresql" else ""
    return f"{scheme}://{user}{place}"
