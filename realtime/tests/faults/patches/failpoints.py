"""Fail points: places at which a process stops, so that a row can kill it exactly there.

A process reports that it has stopped by creating the file that FAULTS_REACHED names.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection

from booking.transaction.step_hooks import Step, install
from realtime.store.live_store import LiveStore

HOLD_S = 60.0
BATCH_PART = 10  # rooms of a batch that are projected before the hold


def hold() -> None:
    Path(os.environ["FAULTS_REACHED"]).touch()
    threading.Event().wait(HOLD_S)


def hold_after_commit() -> None:
    """Stop a booking command after its commit, before its caller has the answer."""
    install(Step.COMMITTED, lambda _seen: hold())


def hold_before_commit() -> None:
    """Stop a booking command when all rows are written and none is committed."""
    install(Step.BEFORE_COMMIT, lambda _seen: hold())


def commit_early() -> None:
    """Split the transaction in two: commit the booking before its receipt is written."""
    install(Step.CHANGES_WRITTEN, lambda _seen: connection.connection.commit())


def hold_in_batch() -> None:
    real = LiveStore.replace
    done = 0

    async def replace(self: LiveStore, state: Any, *, expected: Any) -> bool:
        nonlocal done
        done += 1
        if done > BATCH_PART:
            hold()
        return await real(self, state, expected=expected)

    LiveStore.replace = replace


PATCHES: dict[str, Callable[..., None]] = {
    one.__name__: one
    for one in (hold_after_commit, hold_before_commit, commit_early, hold_in_batch)
}
