"""The present state of the servers of a data folder."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from meeting_rooms.dev.servers.names import ServiceName
from meeting_rooms.dev.servers.processes import is_server_alive
from meeting_rooms.dev.servers.record import ServerRecord, read_servers


class ServiceState(StrEnum):
    """The state of a server. `CRASHED`: the server was started, not stopped, and does not run."""

    RUNNING = "running"
    STOPPED = "stopped"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """The status of one server for people: the password in `url` is hidden."""

    name: ServiceName
    state: ServiceState
    pid: int | None = None
    url: str | None = None
    folder: str | None = None
    version: str | None = None


def status(data_dir: Path) -> list[ServiceStatus]:
    """Return the state of all three servers of `data_dir`. Starts, stops and writes nothing."""
    servers = read_servers(data_dir.resolve())
    return [_status(name, servers.get(name)) for name in ServiceName]


def _status(name: ServiceName, server: ServerRecord | None) -> ServiceStatus:
    if server is None:
        return ServiceStatus(name, ServiceState.STOPPED)
    state = _state(server)
    return ServiceStatus(
        name,
        state,
        pid=server.process.pid if server.process and state is ServiceState.RUNNING else None,
        url=server.url.replace(server.secret, "***") if server.is_ready else None,
        folder=server.folder,
        version=server.version,
    )


def _state(server: ServerRecord) -> ServiceState:
    if server.process is None:
        return ServiceState.STOPPED
    if is_server_alive(server.process, Path(server.folder)):
        return ServiceState.RUNNING
    return ServiceState.CRASHED
