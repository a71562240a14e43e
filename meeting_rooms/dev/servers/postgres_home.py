"""Folders for the data and programs of Postgres that the account of Postgres can reach.

Usually the data is inside the data folder and the programs are inside the wheel. If root starts
Postgres, the account of Postgres may not be able to enter these folders (for example below /root).
Then the data goes to a folder of its own below /var/tmp, with a link from the data folder, and the
programs are copied there once.
"""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from meeting_rooms.dev.servers.accounts import Account, account_for, can_enter, can_run
from meeting_rooms.dev.servers.binaries import PostgresInstall
from meeting_rooms.dev.servers.engine import Report
from meeting_rooms.dev.servers.errors import EmbeddedServerError
from meeting_rooms.dev.servers.folders import (
    OUTSIDE,
    OUTSIDE_PREFIX,
    copy_for_everybody,
    make_root_owned,
    outside_home,
)
from meeting_rooms.dev.servers.processes import processes_in

FOLDER = "postgres"


@dataclass(frozen=True, slots=True)
class PostgresHome:
    """The folder of the Postgres data, and the account that owns it (None: the caller's own)."""

    folder: Path
    account: Account | None


def find_home(data_dir: Path, report: Report) -> PostgresHome:
    """Return the folder of the Postgres data of `data_dir`; the choice is made at the first start.

    Raises EmbeddedServerError if no account, or no safe folder, is available.
    """
    inside = data_dir / FOLDER
    account = account_for(inside)
    if account is None or (inside.exists() and not inside.is_symlink()):
        return PostgresHome(inside, account)
    if not inside.is_symlink() and can_enter(account, data_dir):
        return PostgresHome(inside, account)
    home = _linked_home(data_dir)
    if home is None:
        home = outside_home(data_dir)
        if home.exists():
            _remove_leftover(home, report)
        make_root_owned(home)
        inside.symlink_to(home / FOLDER)
    else:
        make_root_owned(home)
    return PostgresHome(home / FOLDER, account)


def reachable_install(install: PostgresInstall, account: Account | None) -> PostgresInstall:
    """Return `install`, or a copy of it that `account` can run."""
    if account is None or can_run(account, install.initdb):
        return install
    site_packages = install.root.parents[1]
    tree = install.root.relative_to(site_packages)
    # The programs find their libraries by a relative path, so the copy keeps the layout.
    libraries = f"{tree.parts[0]}.libs"
    # The time of initdb is part of the stamp, because a wheel may be rebuilt with the same version.
    built = f"{install.root}:{install.initdb.stat().st_mtime_ns}"
    stamp = hashlib.sha256(built.encode()).hexdigest()[:8]
    parts = [f"{tree}/bin/postgres", f"{tree}/bin/initdb", f"{tree}/lib/postgresql"]
    parts += [f"{tree}/share", libraries]
    copy = copy_for_everybody(
        site_packages,
        OUTSIDE / f"meeting-rooms-postgresql-{install.version}-{stamp}",
        tuple(part for part in parts if (site_packages / part).exists()),
    )
    return PostgresInstall(copy / tree, install.version)


def make_folder(folder: Path, account: Account | None) -> None:
    """Create an empty folder that only `account` can enter; replace an incomplete one."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)


def remove_outside_home(data_dir: Path) -> None:
    """Delete the Postgres data that `data_dir` keeps outside, if any."""
    home = _linked_home(data_dir)
    if home is not None and home.exists():
        make_root_owned(home)
        shutil.rmtree(home)


def _linked_home(data_dir: Path) -> Path | None:
    """Return the folder outside that `data_dir` links to; moving `data_dir` does not change it.

    Raises EmbeddedServerError for a link that Meeting Rooms did not make.
    """
    inside = data_dir / FOLDER
    if not inside.is_symlink():
        return None
    home = inside.readlink().parent
    if home.parent != OUTSIDE or not home.name.startswith(OUTSIDE_PREFIX):
        raise EmbeddedServerError(
            f"{inside} is a link to {inside.readlink()}, which Meeting Rooms did not make. "
            f"Remove the link, then start again."
        )
    return home


def _remove_leftover(home: Path, report: Report) -> None:
    # The data folder was deleted and made again, so its link to this folder is gone.
    if running := processes_in(home / FOLDER):
        raise EmbeddedServerError(
            f"A PostgreSQL server still runs on {home}, the data of a deleted data folder. "
            f"End it, then start again: kill -INT {min(running)}"
        )
    make_root_owned(home)
    report(f"Removing {home}, the PostgreSQL data of a data folder that was deleted.")
    shutil.rmtree(home)
