"""The interface between the launcher and one kind of server."""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from meeting_rooms.dev.servers.accounts import Account
from meeting_rooms.dev.servers.names import ServiceName
from meeting_rooms.dev.servers.record import ServerRecord
from meeting_rooms.dev.servers.watch import Watch

# Prints one short line for people.
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
        """The service that the server provides."""

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
        """Create the files that the process needs. Guarantees: a second call is harmless."""

    def command(self, server: ServerRecord) -> Sequence[str]:
        """Return the command line, which contains no secret."""

    def complete(self, server: ServerRecord, watch: Watch) -> str:
        """Wait until the URL works, create database and user if needed, and return the version.

        Raises ServerExitedError, ServerNotReadyError or StartAbandonedError if it does not work.
        """

    def tidy(self) -> None:
        """Remove the files with secrets that only a starting server needs."""

    def url(self, server: ServerRecord) -> str:
        """Return the URL, password included."""
