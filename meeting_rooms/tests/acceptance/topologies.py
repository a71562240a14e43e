"""Redis under Sentinel, a Redis Cluster, a MongoDB replica set: real servers for one test each.

Each server runs in the test's folder, on free ports of 127.0.0.1, and ends with the test.
"""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from redis import Redis
from redis.exceptions import RedisError

from meeting_rooms.dev.servers.binaries import mongod, redis_server
from meeting_rooms.dev.servers.ports import first_outgoing_port, free_port
from meeting_rooms.tests.stack import PATIENCE_S

HOST = "127.0.0.1"
SERVICE = "live"
PASSWORD = "p@ss/word"
QUOTED = "p%40ss%2Fword"
READY_TIMEOUT_S = PATIENCE_S
DOWN_AFTER_MS = 2000  # as docs/scaling.md advises
SLOTS = 16384
BUS_OFFSET = 10_000  # the nodes of a cluster connect to each other on their port plus this offset


def until(condition: Callable[[], object], what: str, within_s: float = READY_TIMEOUT_S) -> None:
    """Wait until the condition is true. Errors of a starting server are ignored."""
    deadline = time.monotonic() + within_s
    while True:
        with suppress(RedisError, PyMongoError, OSError):
            if condition():
                return
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        time.sleep(0.05)


class Server:
    """One server process; its port is its name."""

    def __init__(self, folder: Path, port: int, argv: Sequence[str | Path]) -> None:
        self.port = port
        self.folder = folder
        self.address = f"{HOST}:{port}"
        with (folder / "log").open("ab") as out:
            self._process = subprocess.Popen(argv, cwd=folder, stdout=out, stderr=out)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)


class Topology:
    """Servers that work together, and the URL with which an application connects to them."""

    def __init__(
        self, url: str, servers: dict[int, Server], find_leader: Callable[[], int]
    ) -> None:
        self.url = url
        self.servers = servers
        self._find_leader = find_leader

    @property
    def leader(self) -> Server:
        """The server that accepts writes now. Raises the driver's error while there is none."""
        return self.servers[self._find_leader()]

    def await_other_leader(self, than: Server) -> float:
        """Return the seconds until another server has taken over."""
        started = time.monotonic()
        until(lambda: self.leader is not than, "another leader")
        return time.monotonic() - started


def _redis(stack: ExitStack, folder: Path, config_lines: Sequence[str], *more: str) -> Server:
    port = _node_port()
    home = folder / f"redis-{port}"
    home.mkdir()
    config = home / "redis.conf"
    text = [f"bind {HOST}", f"port {port}", f"dir {home}", *config_lines]
    config.write_text("\n".join(text) + "\n")
    server = Server(home, port, [redis_server(), config, *more])
    stack.callback(server.kill)
    return server


def _node_port() -> int:
    """Return a free port whose bus port is free too, and is not a port of outgoing connections."""
    return next(port for port in iter(free_port, None) if _is_bus_port(port + BUS_OFFSET))


def _is_bus_port(port: int) -> bool:
    with suppress(OSError), socket.create_server((HOST, port)):
        return port < first_outgoing_port()
    return False


def ask(server: Server, **options: Any) -> Redis:
    return Redis(HOST, server.port, socket_timeout=2, decode_responses=True, **options)


@contextmanager
def sentinel(folder: Path) -> Iterator[tuple[Topology, list[Server]]]:
    """Run a master, two replicas and three sentinels; also return the sentinels."""
    data = ['save ""', "appendonly no", f'requirepass "{PASSWORD}"', f'masterauth "{PASSWORD}"']
    data += ["repl-diskless-sync yes", "repl-diskless-sync-delay 0"]
    with ExitStack() as stack:
        master = _redis(stack, folder, data)
        until(lambda: ask(master, password=PASSWORD).ping(), "master")
        follow = f"replicaof {HOST} {master.port}"
        servers = [master, *(_redis(stack, folder, [*data, follow]) for _ in range(2))]
        replication = lambda: ask(master, password=PASSWORD).info("replication")  # noqa: E731
        until(lambda: replication()["connected_slaves"] == 2, "replicas")
        watch = [
            f"sentinel monitor {SERVICE} {HOST} {master.port} 2",
            f'sentinel auth-pass {SERVICE} "{PASSWORD}"',
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
            f"sentinel failover-timeout {SERVICE} 10000",
        ]
        sentinels = [_redis(stack, folder, watch, "--sentinel") for _ in range(3)]
        for one in sentinels:
            until(lambda one=one: _is_complete(ask(one).sentinel_masters()[SERVICE]), "sentinels")
        hosts = ",".join(one.address for one in sentinels)

        def leader() -> int:
            return int(ask(sentinels[-1]).sentinel_get_master_addr_by_name(SERVICE)[1])

        by_port = {one.port: one for one in servers}
        url = f"redis+sentinel://:{QUOTED}@{hosts}/{SERVICE}/0"
        yield Topology(url, by_port, leader), sentinels


def _is_complete(state: dict[str, Any]) -> bool:
    return state["num-other-sentinels"] == 2 and state["num-slaves"] == 2


@contextmanager
def cluster(folder: Path) -> Iterator[Topology]:
    """Run a cluster of three nodes, a third of the slots each."""
    config_lines = ['save ""', "cluster-enabled yes", "cluster-node-timeout 2000"]
    config_lines += [f'requirepass "{PASSWORD}"', f'masterauth "{PASSWORD}"']
    with ExitStack() as stack:
        nodes = [_redis(stack, folder, config_lines) for _ in range(3)]
        for n, node in enumerate(nodes):
            client = ask(node, password=PASSWORD)
            until(client.ping, "node")
            first, last = SLOTS * n // 3, SLOTS * (n + 1) // 3
            client.execute_command("CLUSTER ADDSLOTS", *range(first, last))
            client.execute_command("CLUSTER MEET", HOST, nodes[0].port)
        for node in nodes:
            until(lambda node=node: _is_joined(ask(node, password=PASSWORD)), "cluster")
        hosts = ",".join(node.address for node in nodes)
        by_port = {node.port: node for node in nodes}
        url = f"redis+cluster://:{QUOTED}@{hosts}"
        yield Topology(url, by_port, lambda: nodes[0].port)


def _is_joined(client: Redis) -> bool:
    state = client.execute_command("CLUSTER INFO")
    facts = state if isinstance(state, dict) else dict(x.split(":") for x in state.split())
    return facts["cluster_state"] == "ok" and int(facts["cluster_known_nodes"]) == 3


@contextmanager
def replica_set(folder: Path) -> Iterator[Topology]:
    """Run three mongods; their election time-out is MongoDB's default of ten seconds."""
    with ExitStack() as stack:
        members = [_mongod(stack, folder) for _ in range(3)]
        hosts = [{"_id": n, "host": one.address} for n, one in enumerate(members)]
        for one in reversed(members):
            with MongoClient(one.address, directConnection=True) as client:
                client.admin.command("ping")  # waits until the server has started
                if one is members[0]:
                    client.admin.command("replSetInitiate", {"_id": "rs0", "members": hosts})
        url = f"mongodb://{','.join(one.address for one in members)}/?replicaSet=rs0"
        watcher = stack.enter_context(MongoClient(url, serverSelectionTimeoutMS=500))

        def leader() -> int:
            return int(watcher.admin.command("hello")["me"].rpartition(":")[2])

        topology = Topology(url, {one.port: one for one in members}, leader)
        until(lambda: topology.leader, "primary")
        until(lambda: _has_all(watcher), "secondaries")
        yield topology


def _has_all(watcher: MongoClient) -> bool:
    states = [m["stateStr"] for m in watcher.admin.command("replSetGetStatus")["members"]]
    return sorted(states) == ["PRIMARY", "SECONDARY", "SECONDARY"]


def _mongod(stack: ExitStack, folder: Path) -> Server:
    port = free_port()
    home = folder / f"mongod-{port}"
    home.mkdir()
    argv = [mongod(), "--dbpath", home, "--port", str(port), "--bind_ip", HOST]
    argv += ["--replSet", "rs0", "--nounixsocket", "--oplogSize", "64"]
    argv += ["--wiredTigerCacheSizeGB", "0.25"]
    argv += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
    server = Server(home, port, argv)
    stack.callback(server.kill)
    return server
