"""The account of the operating system that Postgres runs as: Postgres refuses to run as root."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from meeting_rooms.dev.servers.errors import EmbeddedServerError, own_server_advice
from meeting_rooms.dev.servers.names import ServiceName

PREFERRED_ACCOUNTS = ("postgres", "nobody")
CHECK_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the operating system."""

    name: str
    uid: int
    gid: int


class AccountArguments(TypedDict, total=False):
    """The arguments of `subprocess` that change the account."""

    user: int
    group: int
    extra_groups: list[int]


def as_account(account: Account | None) -> AccountArguments:
    """Return the `subprocess` arguments to run as `account`; empty for the caller's own account."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def is_root() -> bool:
    """Return whether this process runs as root."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def account_for(folder: Path) -> Account | None:
    """Return the account to run Postgres as; None for the caller's own account.

    Existing data decides: Postgres accepts only a folder that belongs to its own account.
    Raises EmbeddedServerError if the caller is root and there is no suitable account.
    """
    if not is_root():
        return None
    # Imported here, because Windows has no pwd and must still be able to import the package.
    import pwd

    if folder.exists() and folder.stat().st_uid != 0:
        owner = folder.stat()
        return Account(str(owner.st_uid), owner.st_uid, owner.st_gid)
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in PREFERRED_ACCOUNTS:
        if name in known:
            return Account(name, known[name].pw_uid, known[name].pw_gid)
    raise EmbeddedServerError(
        "PostgreSQL refuses to run as root, and this machine has neither a `postgres` nor a "
        "`nobody` account to run it as. Run Meeting Rooms as an ordinary user. "
        + own_server_advice(ServiceName.POSTGRES)
    )


def can_enter(account: Account, folder: Path) -> bool:
    """Return whether `account` can reach `folder` through all the folders above it.

    Tried as that account, because permission bits do not show access lists or mounts.
    """
    return _succeeds(account, "/bin/sh", "-c", 'test -x "$1"', "sh", str(folder))


def can_run(account: Account, program: Path) -> bool:
    """Return whether `account` can run `program` with the libraries it needs."""
    return _succeeds(account, str(program), "--version")


def _succeeds(account: Account, *argv: str) -> bool:
    try:
        result = subprocess.run(
            argv,
            cwd="/",
            capture_output=True,
            timeout=CHECK_TIMEOUT_S,
            check=False,
            **as_account(account),
        )
    except PermissionError:
        return False
    return result.returncode == 0
