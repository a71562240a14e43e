"""Servers whose owner was killed: stopped by whoever comes next."""

import shutil
from pathlib import Path

from meeting_rooms.dev.servers.engine import Report
from meeting_rooms.dev.servers.errors import EmbeddedServerError
from meeting_rooms.dev.servers.lifecycle import stop_locked
from meeting_rooms.dev.servers.lock import exclusive
from meeting_rooms.dev.servers.names import ServiceName
from meeting_rooms.dev.servers.postgres_home import remove_outside_home
from meeting_rooms.dev.servers.processes import is_alive
from meeting_rooms.dev.servers.record import ServerRecord, has_record, read_servers

TEST_PREFIX = "test-"
# Whoever holds the lock is at work in the folder, so it is no orphan.
LOCK_TIMEOUT_S = 0.5


def reap_orphans(root: Path, report: Report) -> None:
    """Stop the servers of dead owners in all data folders below `root`; delete such test folders.

    Servers without an owner and those of living owners are left alone. A folder that cannot be read
    or is in use is reported and passed over.
    """
    if not root.is_dir():
        return
    for data_dir in sorted(root.resolve().iterdir()):
        if data_dir.is_symlink() or not has_record(data_dir):
            continue
        try:
            if _orphans(data_dir):
                with exclusive(data_dir, timeout_s=LOCK_TIMEOUT_S):
                    _reap(data_dir, report)
        except (EmbeddedServerError, OSError) as exc:
            report(f"Passing over {data_dir}: {exc}")


def _reap(data_dir: Path, report: Report) -> None:
    # Read again: between the first look and the lock, a new owner may have taken the servers over.
    orphans = _orphans(data_dir)
    if stop_locked(data_dir, names=orphans, report=report):
        report(f"Cleaned up after an ended run in {data_dir}.")
    if data_dir.name.startswith(TEST_PREFIX) and len(orphans) == len(read_servers(data_dir)):
        remove_outside_home(data_dir)
        shutil.rmtree(data_dir)


def _orphans(data_dir: Path) -> list[ServiceName]:
    return [name for name, server in read_servers(data_dir).items() if _is_orphan(server)]


def _is_orphan(server: ServerRecord) -> bool:
    return server.owner is not None and not is_alive(server.owner)
