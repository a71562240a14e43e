"""Starts a process in a session of its own, recognises it later, and ends it.

Guarantees: a process gets a signal only if its number, its start time and its folder all match. So
no signal reaches an unrelated process that got the same number later.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from meeting_rooms.dev.servers.accounts import Account, as_account

# psutil computes the start time from the boot time, which changes slightly when the clock is
# corrected.
START_TIME_TOLERANCE_S = 5.0
KILL_TIMEOUT_S = 10.0
POLL_S = 0.02

# Kept here, because a `Popen` that is garbage-collected while its process runs gives a warning, and
# the ended process would stay a zombie.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process number with the start time, to tell it from a later process of the same number."""

    pid: int
    started_at: float


def identify(pid: int) -> ProcessIdentity | None:
    """Return the identity of the process `pid`, or None if there is no such process."""
    try:
        return ProcessIdentity(pid, psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def is_alive(identity: ProcessIdentity) -> bool:
    """Return whether exactly this process still runs; a zombie does not run."""
    return _find(identity) is not None


def is_server_alive(identity: ProcessIdentity, folder: Path) -> bool:
    """Return whether the recorded server still runs and works in `folder`."""
    process = _find(identity)
    return process is not None and _works_in(process, folder)


def processes_in(folder: Path) -> list[int]:
    """Return the numbers of all visible processes whose working folder is `folder`."""
    return [process.pid for process in psutil.process_iter() if _has_cwd(process, folder)]


def spawn(
    argv: Sequence[str], *, folder: Path, log: IO[bytes], account: Account | None
) -> subprocess.Popen[bytes]:
    """Start a server in its own session, so that the Ctrl-C of a terminal does not reach it."""
    child = subprocess.Popen(
        argv,
        cwd=folder,
        env=server_environment(),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        umask=0o077,
        **as_account(account),
    )
    _children[child.pid] = child
    return child


def server_environment() -> Mapping[str, str]:
    """Return the environment of a server: English messages, UTC, no secrets of the caller."""
    kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
    return {"PATH": os.defpath} | kept | {"LC_ALL": "C", "TZ": "UTC"}


def ask_to_end(identity: ProcessIdentity, folder: Path, with_signal: signal.Signals) -> bool:
    """Send `with_signal` to the recorded server; return False if it no longer runs."""
    process = _find(identity)
    if process is None or not _works_in(process, folder):
        return False
    try:
        process.send_signal(with_signal)
    except psutil.NoSuchProcess:
        return False
    return True


def wait_or_kill(identity: ProcessIdentity, *, timeout_s: float) -> bool:
    """Wait for a process that was asked to end; return whether it had to be killed."""
    if _has_ended(identity, within_s=timeout_s):
        return False
    if process := _find(identity):
        process.kill()
    _has_ended(identity, within_s=KILL_TIMEOUT_S)
    return True


def _has_ended(identity: ProcessIdentity, *, within_s: float) -> bool:
    """Wait for the process to end; return whether it has ended.

    Polls its status, because an ended server stays as a zombie until its parent process has reaped
    it.
    """
    deadline = time.monotonic() + within_s
    while _find(identity) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _find(identity: ProcessIdentity) -> psutil.Process | None:
    _forget(identity.pid)
    try:
        process = psutil.Process(identity.pid)
        is_same = abs(process.create_time() - identity.started_at) < START_TIME_TOLERANCE_S
        # A zombie that is an own child and cannot be reaped yet has threads that are still ending.
        is_over = process.status() == psutil.STATUS_ZOMBIE and identity.pid not in _children
        return process if is_same and not is_over else None
    except psutil.NoSuchProcess:
        return None


def _forget(pid: int) -> None:
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        _children.pop(pid, None)


def _works_in(process: psutil.Process, folder: Path) -> bool:
    # Redis replaces its command line by a title, so the working folder is checked as well.
    try:
        if any(str(folder) in argument for argument in process.cmdline()):
            return True
    except psutil.Error:
        return False
    return _has_cwd(process, folder)


def _has_cwd(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.cwd() == str(folder)
    except (psutil.Error, OSError):
        # Another user's process, or one that has just ended: not a server of this folder.
        return False
