"""Helpers of the tests of the embedded servers: connections, kills, and owners that can die."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pymongo
import redis

from meeting_rooms.dev.servers import ServiceName, Started, start, stop
from meeting_rooms.dev.servers.postgres_home import remove_outside_home

DEADLINE_S = 10.0


def ignore(line: str) -> None:
    """Ignore a progress line."""


def start_all(data_dir: Path, owner_pid: int | None = None) -> Started:
    return start(data_dir, wanted=list(ServiceName), owner_pid=owner_pid, report=ignore)


def start_redis(data_dir: Path, owner_pid: int | None = None) -> Started:
    return start(data_dir, wanted=[ServiceName.REDIS], owner_pid=owner_pid, report=ignore)


def clean_up(data_dir: Path) -> None:
    """Stop all servers, and remove the files of root's Postgres outside of pytest's folders."""
    stop(data_dir, report=ignore)
    remove_outside_home(data_dir)


@contextmanager
def a_process() -> Iterator[int]:
    """Run a process that can own servers; after the block it is dead and reaped."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with child:
        yield child.pid
        child.kill()


def postgres_query(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def is_redis_up(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return bool(client.ping())


def mongo_client(url: str) -> pymongo.MongoClient:
    return pymongo.MongoClient(url, serverSelectionTimeoutMS=5000)


def kill_and_wait(pid: int) -> None:
    process = psutil.Process(pid)
    process.kill()
    process.wait(DEADLINE_S)
