"""Reads `REDIS_URL`: the options of the channel layer for one server, Sentinel or Cluster.

    redis://[[user]:password@]host[:6379][/db]                     one server; rediss:// with TLS
    redis+sentinel://[[user]:password@]host[:26379],…/service[/db]  the master that Sentinel names
    redis+cluster://[[user]:password@]host[:6379],…                 any node of the cluster

With TLS, the last two begin with `rediss+`. May import only redis, channels_redis and Django's
exceptions, because the settings import this module.
"""

import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from channels_redis.utils import create_pool
from django.core.exceptions import ImproperlyConfigured
from redis.asyncio import Connection, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff

# Keyword arguments of `channels_redis.utils.create_pool`. Any: the values are redis-py's options.
Host = dict[str, Any]

REDIS_PORT, SENTINEL_PORT = 6379, 26379  # the default ports
# Seconds, seconds, connections. redis-py 8 reads with a time-out of 5 s, which closes idle sockets,
# and has a pool of 100, which refuses bursts of handshakes; both are raised here.
SOCKET_TIMEOUT_S, CONNECT_TIMEOUT_S, MAX_CONNECTIONS = 20, 3, 5000
# For one of several nodes or sentinels: shorter than the time-out of a publish, so that the next
# one is still asked in time.
ONE_OF_SEVERAL_TIMEOUT_S = 0.7
# A server whose machine is gone sends no reset. Probes end an idle connection after 5 + 3 * 2 s;
# the user time-out (milliseconds) ends a connection that waits for an answer. Without them the
# process would receive nothing for minutes.
KEEPALIVE = {
    option: value
    for name, value in (
        ("TCP_KEEPIDLE", 5),
        ("TCP_KEEPINTVL", 2),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", 11_000),
    )
    if (option := getattr(socket, name, None)) is not None
}
SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password", "ssl_ca_certs")
CLUSTER_OPTIONS = ("ssl_ca_certs",)


class RedisUrlError(ImproperlyConfigured, ValueError):
    """`REDIS_URL` has none of the forms above. The message says what to write, without password."""


class Nodes:
    """The nodes of a cluster. Each attempt starts at another node: a dead node is rarely first."""

    def __init__(self, addresses: Iterable[tuple[str, int]]) -> None:
        self._addresses = deque(addresses)
        SystemRandom().shuffle(self._addresses)  # so that processes spread over the nodes

    def in_turn(self) -> list[tuple[str, int]]:
        """Return all addresses in the order of this attempt."""
        addresses = list(self._addresses)
        self._addresses.rotate(-1)
        return addresses


class ClusterConnection(Connection):
    """A connection to the first node of a cluster that answers.

    A node that receives a PUBLISH forwards it to all nodes. So the channel layer can use any node,
    and needs neither slots nor a cluster client.
    Source: Redis Cluster specification, "Pub/Sub".
    """

    # Any: redis-py's own options.
    def __init__(self, *, nodes: Nodes, **options: Any) -> None:
        super().__init__(**options)
        self._nodes = nodes

    async def _connect(self) -> None:
        """Connect to the first node that accepts. Raises OSError if no node accepts."""
        problem = OSError("no node")
        for address in self._nodes.in_turn():
            self.host, self.port = address
            try:
                await super()._connect()  # type: ignore[no-untyped-call]  # redis-py's
            except OSError as exc:  # time-outs as well
                problem = exc
            else:
                return
        raise problem


class ClusterSSLConnection(ClusterConnection, SSLConnection):
    """A ClusterConnection with TLS."""


@dataclass(frozen=True, slots=True)
class _Address:
    """The parts of a URL that names several servers."""

    nodes: list[tuple[str, int]]
    path: list[str]
    is_tls: bool
    login: Host = field(repr=False)
    options: dict[str, str] = field(repr=False)


def channel_layers(url: str, prefix: str) -> dict[str, Any]:
    """Return Django's `CHANNEL_LAYERS` for an address.

    Raises RedisUrlError if the address has none of the supported forms.
    """
    config = {"hosts": [redis_host(url)], "prefix": prefix}
    return {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": config}
    }


def redis_host(url: str) -> Host:
    """Return the options with which channels_redis connects to an address.

    Raises RedisUrlError if the address has none of the supported forms.
    """
    scheme = url.partition("://")[0]
    form = _FORMS.get(scheme)
    if form is None:
        raise RedisUrlError(
            f"REDIS_URL begins with '{scheme[:20]}'. Begin it with one of: "
            + ", ".join(f"{name}://" for name in _FORMS)
        )
    limits = {
        "socket_timeout": SOCKET_TIMEOUT_S,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_keepalive_options": KEEPALIVE,
        "max_connections": MAX_CONNECTIONS,
        # Only the next publish notices that an idle connection has died. The retry sends this
        # publish over a new connection; without it, the publisher would pause for a while.
        "retry": Retry(NoBackoff(), 1),
    }
    return limits | form(url)


@asynccontextmanager
async def open_redis(url: str) -> AsyncIterator["Redis"]:
    """Open a client that finds its server as the channel layer does.

    Raises RedisUrlError if the address has none of the supported forms.
    """
    pool = create_pool(redis_host(url))
    try:
        async with Redis.from_pool(pool) as client:
            yield client
    finally:
        if isinstance(pool, SentinelConnectionPool):
            await pool.sentinel_manager.aclose()


def _server(url: str) -> Host:
    try:
        parts = urlsplit(url)
        has_server = bool(parts.hostname) and (parts.port or REDIS_PORT) > 0
    except ValueError:
        has_server = False
    if not has_server:
        raise RedisUrlError("REDIS_URL names no server. Write redis://:password@host:6379/0")
    return {"address": url}


def _unix(url: str) -> Host:
    # A socket of this machine has no TCP options.
    return {"address": url, "socket_keepalive_options": None}


def _sentinel(url: str) -> Host:
    address = _read(url, SENTINEL_PORT, SENTINEL_OPTIONS)
    example = "redis+sentinel://:password@host1:26379,host2:26379,host3:26379/service/0"
    match address.path:
        case [service]:
            db = "0"
        case [service, db] if db.isdecimal():
            pass
        case _:
            raise RedisUrlError(
                f"REDIS_URL does not name the service that Sentinel watches. Write {example}"
            )
    tls = _tls(address)
    sentinel_login = {
        name: address.options[f"sentinel_{name}"]
        for name in ("username", "password")
        if f"sentinel_{name}" in address.options
    }
    ask = {
        "socket_timeout": ONE_OF_SEVERAL_TIMEOUT_S,
        "socket_connect_timeout": ONE_OF_SEVERAL_TIMEOUT_S,
        # By default redis-py asks a dead sentinel eleven times before the next sentinel. That is
        # longer than the time-out of a publish, so one dead sentinel would stop all publishes.
        "retry": Retry(NoBackoff(), 0),
    }
    return {
        "master_name": service,
        "sentinels": address.nodes,
        "sentinel_kwargs": ask | sentinel_login | tls,
        "db": int(db),
        **address.login,
        **tls,
    }


def _cluster(url: str) -> Host:
    address = _read(url, REDIS_PORT, CLUSTER_OPTIONS)
    if address.path not in ([], ["0"]):
        raise RedisUrlError(
            "REDIS_URL of a cluster cannot name a database. Write "
            "redis+cluster://:password@host1,host2,host3"
        )
    tls = _tls(address)
    tls.pop("ssl", None)  # the class of the connection says so already
    return {
        "connection_class": ClusterSSLConnection if address.is_tls else ClusterConnection,
        "nodes": Nodes(address.nodes),
        "socket_connect_timeout": ONE_OF_SEVERAL_TIMEOUT_S,
        **address.login,
        **tls,
    }


def _read(url: str, port: int, known_options: tuple[str, ...]) -> _Address:
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    servers, _, path = place.partition("/")
    userinfo, _, hosts = servers.rpartition("@")
    user, _, password = userinfo.partition(":")
    login = {"username": unquote(user), "password": unquote(password)}
    options = dict(parse_qsl(query))
    if unknown := options.keys() - set(known_options):
        raise RedisUrlError(
            f"REDIS_URL has an unknown option {sorted(unknown)[0]!r}. "
            f"Known options: {', '.join(known_options)}."
        )
    return _Address(
        nodes=[_node(one, port) for one in hosts.split(",")],
        path=[part for part in path.split("/") if part],
        is_tls=scheme.startswith("rediss"),
        login={key: value for key, value in login.items() if value},
        options=options,
    )


def _node(text: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        if parts.hostname and parts.username is None:
            return parts.hostname, parts.port or port
    except ValueError as exc:
        problem: ValueError | None = exc
    else:
        problem = None
    raise RedisUrlError(
        "REDIS_URL has a host that cannot be read. Write host:port,host:port,… and in the "
        "password percent-encode all characters except letters and digits."
    ) from problem


def _tls(address: _Address) -> Host:
    if not address.is_tls:
        return {}
    chosen = {k: v for k, v in address.options.items() if k == "ssl_ca_certs"}
    return {"ssl": True, **chosen}


_FORMS: dict[str, Callable[[str], Host]] = {
    "redis": _server,
    "rediss": _server,
    "unix": _unix,
    "redis+sentinel": _sentinel,
    "rediss+sentinel": _sentinel,
    "redis+cluster": _cluster,
    "rediss+cluster": _cluster,
}
