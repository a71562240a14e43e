"""Stops the servers whose owner process was killed. Called at the start of the next run."""

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
# Short, because a folder whose lock is held is in use, so its servers are no orphans.
LOCK_TIMEOUT_S = 0.5


def reap_orphans(root: Path, report: Report) -> None:
    """Stop the servers of dead owners in all data folders below `root`.

    A test folder is deleted if all its servers had a dead owner. Servers without an owner and
    servers of living owners keep running. A folder that cannot be read, or that is in use, is
    reported and skipped.
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
            report(f"Skipping {data_dir}: {exc}")


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
