"""Redis, or Valkey: in memory only, because all its data can be rebuilt."""

from collections.abc import Sequence
from pathlib import Path

from meeting_rooms.dev.servers.accounts import Account
from meeting_rooms.dev.servers.binaries import Locator, locate_package, redis_server
from meeting_rooms.dev.servers.engine import LOOPBACK, Report
from meeting_rooms.dev.servers.folders import make_private
from meeting_rooms.dev.servers.names import TITLES, ServiceName
from meeting_rooms.dev.servers.record import ServerRecord, write_private
from meeting_rooms.dev.servers.watch import Watch

# Another program on the port may accept and never answer; the started server ends then.
TIMEOUT_S = 1.0


class RedisEngine:
    """The Redis of one data folder."""

    name = ServiceName.REDIS
    title = TITLES[ServiceName.REDIS]
    account: Account | None = None

    def __init__(self, data_dir: Path, report: Report, locate: Locator = locate_package) -> None:
        del report
        self.folder = data_dir / "redis"
        self._config = self.folder / "redis.conf"
        self._program = redis_server(locate)

    def prepare(self, server: ServerRecord) -> None:
        """Make the folder and the configuration, which contains the password."""
        make_private(self.folder)
        lines = [f"bind {LOOPBACK}", f"port {server.port}", f"requirepass {server.secret}"]
        lines += ["appendonly no", 'save ""', "daemonize no"]
        write_private(self._config, "\n".join(lines) + "\n")

    def command(self, server: ServerRecord) -> Sequence[str]:
        """Return the command line of the server."""
        del server
        return [str(self._program), str(self._config)]

    def complete(self, server: ServerRecord, watch: Watch) -> str:
        """Wait until Redis accepts the password."""
        watch.until(lambda: _ping(self.url(server)))
        return _version(self.url(server))

    def tidy(self) -> None:
        """Remove the configuration: the server reads this file at its start only."""
        self._config.unlink(missing_ok=True)

    def url(self, server: ServerRecord) -> str:
        """Return the URL of the first database."""
        return f"redis://:{server.secret}@{LOOPBACK}:{server.port}/0"


def _ping(url: str) -> str | None:
    # Imported late: settings import this package, and most processes only read the record.
    import redis

    try:
        with redis.Redis.from_url(url, socket_timeout=TIMEOUT_S) as client:
            client.ping()
    except redis.RedisError as exc:
        return str(exc)
    return None


def _version(url: str) -> str:
    import redis

    with redis.Redis.from_url(url, socket_timeout=TIMEOUT_S) as client:
        facts = client.info("server")
    return str(facts["redis_version"])
