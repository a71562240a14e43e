"""The record of the servers of a data folder: their ports, passwords, processes and owners.

The record is one small JSON file, `services.json`, which only its owner can read. The file is
replaced atomically, so a reader without the lock sees the old or the new record, never a part.
"""

import json
import os
import stat
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from meeting_rooms.dev.servers.errors import EmbeddedServerError
from meeting_rooms.dev.servers.names import ServiceName
from meeting_rooms.dev.servers.processes import ProcessIdentity
from meeting_rooms.local_stores import (
    RECORD_FILE,
    RECORD_FORMAT,
    StoreRecordError,
    damaged,
    read_record,
)


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """One server. The record stays after the process ends: port, password and folder are reused."""

    port: int
    secret: str
    folder: str
    url: str = ""
    version: str | None = None
    # Whether the data in the folder has the recorded password.
    is_prepared: bool = False
    is_ready: bool = False
    # The port when the server was last ready.
    known_port: int | None = None
    process: ProcessIdentity | None = None
    # None: the server has no owner and runs until `stop` is called.
    owner: ProcessIdentity | None = None

    def stopped(self) -> "ServerRecord":
        """Return the record of the same server without a process."""
        return replace(self, process=None, is_ready=False)


Servers = dict[ServiceName, ServerRecord]


def has_record(data_dir: Path) -> bool:
    """Return whether servers were ever started for `data_dir`."""
    return (data_dir / RECORD_FILE).is_file()


def read_servers(data_dir: Path) -> Servers:
    """Return the recorded servers of `data_dir`, running or not.

    Raises EmbeddedServerError if the record cannot be read.
    """
    try:
        recorded = read_record(data_dir)
        try:
            return {ServiceName(name): _server(fields) for name, fields in recorded.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise damaged(data_dir, exc) from exc
    except StoreRecordError as exc:
        raise EmbeddedServerError(str(exc)) from exc


def write_servers(data_dir: Path, servers: Servers) -> None:
    """Replace the record of `data_dir`. The caller holds the lock of the folder."""
    document = {
        "format": RECORD_FORMAT,
        "servers": {str(name): asdict(server) for name, server in servers.items()},
    }
    draft = data_dir / f"{RECORD_FILE}.new"
    write_private(draft, json.dumps(document, indent=2) + "\n")
    draft.replace(data_dir / RECORD_FILE)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, independent of the umask and of an older file."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        path.chmod(0o600)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


# Any: the fields come from a JSON file; a wrong field raises and is reported as damage.
def _server(fields: dict[str, Any]) -> ServerRecord:
    process, owner = fields.pop("process"), fields.pop("owner")
    return ServerRecord(
        **fields,
        process=ProcessIdentity(**process) if process else None,
        owner=ProcessIdentity(**owner) if owner else None,
    )
