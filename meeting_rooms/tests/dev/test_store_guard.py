"""The guard of `manage.py run`: it restarts a real server that dies, a limited number of times."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from meeting_rooms.dev.servers import ServiceName, ServiceState, status, stop
from meeting_rooms.dev.store_guard import LOOK_S, StoreGuard
from meeting_rooms.dev.supervisor import RESTARTS_AT_MOST, RESTARTS_PERIOD_S, RestartBudget
from meeting_rooms.tests.dev.servers_environment import clean_up, ignore, kill_and_wait, start_redis


class Clock:
    """A monotonic clock that moves when a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "servers"
    yield folder
    clean_up(folder)


class Watched:
    """A Redis with a guard, whose output lines are stored."""

    def __init__(self, data_dir: Path, owner_pid: int | None) -> None:
        self.data_dir = data_dir
        self.clock = Clock()
        self.lines: list[str] = []
        began = start_redis(data_dir, owner_pid)
        self.guard = StoreGuard(
            data_dir,
            owned=began.started if owner_pid else (),
            urls=began.urls,
            owner_pid=os.getpid(),
            report=self.lines.append,
            monotonic=self.clock,
        )

    @property
    def redis(self):
        return next(one for one in status(self.data_dir) if one.name is ServiceName.REDIS)

    def kill(self) -> None:
        kill_and_wait(self.redis.pid)
        assert self.redis.state is ServiceState.CRASHED

    def check(self) -> dict[str, str]:
        self.clock.now += LOOK_S
        return self.guard.watch()


def test_budget__spent__is_available_again_after_the_period():
    clock = Clock()
    budget = RestartBudget(clock)
    assert [budget.spend() for _ in range(RESTARTS_AT_MOST + 1)] == [True] * RESTARTS_AT_MOST + [
        False
    ]
    clock.now += RESTARTS_PERIOD_S - 0.1
    assert not budget.spend()
    clock.now += 0.1
    assert budget.spend()


def test_guard__a_store_dies__is_started_again_at_the_same_address(data_dir: Path):
    watched = Watched(data_dir, os.getpid())
    old = watched.redis
    watched.kill()
    assert watched.check() == {}
    assert watched.redis.state is ServiceState.RUNNING
    assert (watched.redis.pid != old.pid, watched.redis.url) == (True, old.url)
    assert watched.lines[0] == "Redis has ended unexpectedly; starting it again."


def test_guard__before_the_next_check__does_nothing(data_dir: Path):
    watched = Watched(data_dir, os.getpid())
    watched.check()
    watched.kill()
    assert watched.guard.watch() == {}
    assert watched.redis.state is ServiceState.CRASHED


def test_guard__a_store_that_dies_too_often__is_reported_once_and_not_restarted(data_dir: Path):
    watched = Watched(data_dir, os.getpid())
    for _ in range(RESTARTS_AT_MOST):
        watched.kill()
        watched.check()
    watched.kill()
    watched.lines.clear()
    for _ in range(3):
        watched.check()
    assert watched.redis.state is ServiceState.CRASHED
    (line,) = watched.lines
    assert line.startswith("Redis has ended more than 5 times within 120 s")
    assert str(data_dir / "logs" / "redis.log") in line
    start_redis(data_dir, os.getpid())  # as the sentence advises
    watched.clock.now += RESTARTS_PERIOD_S
    watched.check()
    watched.kill()
    watched.check()
    assert watched.redis.state is ServiceState.RUNNING


def test_guard__a_store_of_another_command__is_reported_and_not_restarted(data_dir: Path):
    watched = Watched(data_dir, None)
    watched.kill()
    watched.check()
    watched.check()
    assert watched.redis.state is ServiceState.CRASHED
    (line,) = watched.lines
    assert "was not started by this command; start it again with: " in line


def test_guard__a_store_stopped_on_purpose__stays_stopped(data_dir: Path):
    watched = Watched(data_dir, os.getpid())
    stop(data_dir, report=ignore)
    watched.check()
    watched.check()
    assert watched.redis.state is ServiceState.STOPPED
    (line,) = watched.lines
    assert "was stopped by another command" in line


def test_guard__a_store_with_a_new_address__returns_it(data_dir: Path):
    watched = Watched(data_dir, os.getpid())
    stop(data_dir, report=ignore)
    (data_dir / "services.json").unlink()  # with this file the port and the password are lost
    moved = start_redis(data_dir, os.getpid())
    assert watched.check() == {"REDIS_URL": moved.urls[ServiceName.REDIS]}
    assert watched.check() == {}


def test_guard__a_store_that_cannot_start__is_retried_and_then_reported(data_dir: Path):
    watched = Watched(data_dir, os.getpid())
    watched.kill()
    folder = data_dir / "redis"
    folder.rename(data_dir / "moved")
    folder.write_text("not a folder")
    for _ in range(RESTARTS_AT_MOST + 3):
        watched.check()
    reasons = [line for line in watched.lines if line.startswith("Redis could not be started: ")]
    assert len(reasons) == RESTARTS_AT_MOST
    assert all(str(folder) in line for line in reasons)
    assert watched.lines[-1].startswith("Redis has ended more than 5 times")
    folder.unlink()
