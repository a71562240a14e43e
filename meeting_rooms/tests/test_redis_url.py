"""`REDIS_URL` in all its forms, and the errors for other forms."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from channels_redis.utils import create_pool
from redis.asyncio.sentinel import SentinelConnectionPool, SentinelManagedSSLConnection

from meeting_rooms.health import probe_stores
from meeting_rooms.redis_url import (
    ClusterConnection,
    ClusterSSLConnection,
    Nodes,
    RedisUrlError,
    channel_layers,
    open_redis,
    redis_host,
)

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {"socket_timeout": 20, "socket_connect_timeout": 3, "max_connections": 5000}


@pytest.mark.parametrize(
    "url", ["redis://h", "redis://:p@h:1/2", "rediss://u:p@[::1]:1/0", "unix:///run/redis.sock"]
)
def test_url__of_one_server__is_passed_on_with_the_limits(url: str):
    host = redis_host(url)
    assert host["address"] == url
    assert host.items() >= LIMITS.items()
    create_pool(host)


def test_url__of_sentinels__contains_all_sentinels_and_the_service():
    host = redis_host(
        "redis+sentinel://ann:p%40ss@a:1,b,[::1]:3/main/2?sentinel_username=s&sentinel_password=w%2F"
    )
    assert host["sentinels"] == [("a", 1), ("b", 26379), ("::1", 3)]
    assert (host["master_name"], host["db"]) == ("main", 2)
    assert (host["username"], host["password"]) == ("ann", "p@ss")
    assert host["sentinel_kwargs"].items() >= {"username": "s", "password": "w/"}.items()
    assert host.items() >= LIMITS.items()
    pool = create_pool(host)
    assert isinstance(pool, SentinelConnectionPool)
    assert pool.connection_kwargs["password"] == "p@ss"


def test_url__of_sentinels_with_tls__uses_tls_for_sentinels_and_servers():
    host = redis_host("rediss+sentinel://a,b/main?ssl_ca_certs=/etc/ca.pem")
    assert host["db"] == 0
    pool = create_pool(host)
    assert pool.connection_class is SentinelManagedSSLConnection
    assert pool.connection_kwargs["ssl_ca_certs"] == "/etc/ca.pem"
    assert host["sentinel_kwargs"].items() >= {"ssl": True, "ssl_ca_certs": "/etc/ca.pem"}.items()


def test_url__of_a_cluster__contains_all_nodes():
    host = redis_host("redis+cluster://:p@a:1,b,c:3")
    pool = create_pool(host)
    connection = pool.make_connection()
    assert isinstance(connection, ClusterConnection)
    assert connection.password == "p"
    assert sorted(host["nodes"].in_turn()) == [("a", 1), ("b", 6379), ("c", 3)]
    assert (host["socket_timeout"], host["max_connections"]) == (20, 5000)


def test_url__of_a_cluster_with_tls__uses_tls():
    connection = create_pool(redis_host("rediss+cluster://a,b")).make_connection()
    assert isinstance(connection, ClusterSSLConnection)


def test_nodes__requested_again__begin_with_another_node():
    nodes = Nodes([("a", 1), ("b", 2), ("c", 3)])
    rounds = [nodes.in_turn() for _ in range(3)]
    assert {one[0] for one in rounds} == {("a", 1), ("b", 2), ("c", 3)}
    assert all(len(one) == 3 for one in rounds)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "Begin it with one of: redis://"),
        ("http://:hunter2@h", "redis+sentinel://"),
        ("redis://", "names no server"),
        ("redis://:hunter2@h:port/0", "Write redis://:password@host:6379/0"),
        ("redis+sentinel://:hunter2@a,b", "does not name the service"),
        ("redis+sentinel://:hunter2@a,b/main/x", "does not name the service"),
        ("redis+sentinel://:hunter2@a,,b/main", "host:port,host:port"),
        ("redis+sentinel://:hunter2@a:port/main", "host:port,host:port"),
        ("redis+sentinel://:hunter2@a/main?timeout=1", "unknown option 'timeout'"),
        ("redis+cluster://:hunter2@a,b/3", "cannot name a database"),
        ("redis+cluster://", "host:port,host:port"),
        ("redis+cluster://:hun/ter2@a,b", "host:port,host:port"),
    ],
)
def test_url__wrong__is_refused_with_advice_and_without_the_password(url: str, says: str):
    with pytest.raises(RedisUrlError) as refused:
        channel_layers(url, "x")
    assert says in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_process__with_a_wrong_url__does_not_start():
    environment = {**os.environ, "REDIS_URL": "redis+sentinel://a,b"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "worker"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert ended.returncode != 0
    assert "RedisUrlError: REDIS_URL does not name the service" in ended.stderr.splitlines()[-1]


async def test_open_redis__of_the_test_server__answers(settings):
    async with open_redis(settings.REDIS_URL) as client:
        assert await client.ping()


@pytest.mark.parametrize(
    "url", ["redis+sentinel://127.0.0.1:1,127.0.0.1:2/main", "redis+cluster://127.0.0.1:1"]
)
async def test_probe__no_server__is_reported(settings, url: str):
    settings.REDIS_URL = url
    (redis,) = [one for one in await probe_stores() if one.name == "redis"]
    assert not redis.is_ok
