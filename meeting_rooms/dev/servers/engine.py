"""What the launcher needs to know about a kind of server."""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from meeting_rooms.dev.servers.accounts import Account
from meeting_rooms.dev.servers.names import ServiceName
from meeting_rooms.dev.servers.record import ServerRecord
from meeting_rooms.dev.servers.watch import Watch

# Receives one short line for people.
Report = Callable[[str], None]

LOOPBACK = "127.0.0.1"
# Postgres: SIGTERM would wait for all clients to leave, SIGINT ends their sessions.
STOP_SIGNALS = {
    ServiceName.POSTGRES: signal.SIGINT,
    ServiceName.MONGODB: signal.SIGTERM,
    ServiceName.REDIS: signal.SIGTERM,
}


class Engine(Protocol):
    """One kind of server, bound to one data folder."""

    @property
    def name(self) -> ServiceName:
        """Which service this is."""

    @property
    def title(self) -> str:
        """The name for people, with the version if it is known before the start."""

    @property
    def folder(self) -> Path:
        """The folder the server works in."""

    @property
    def account(self) -> Account | None:
        """The account the server runs as; None for the caller's own."""

    def prepare(self, server: ServerRecord) -> None:
        """Make what must exist before the process starts. Guarantees: a retry is harmless."""

    def command(self, server: ServerRecord) -> Sequence[str]:
        """Return the command line, which holds no secret."""

    def complete(self, server: ServerRecord, watch: Watch) -> str:
        """Wait until the URL works, making database and user if needed; return the version."""

    def tidy(self) -> None:
        """Remove the files with secrets that only a starting server needs."""

    def url(self, server: ServerRecord) -> str:
        """Return the URL, password included."""
