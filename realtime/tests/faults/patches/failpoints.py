"""Places at which a process stands still, so that it can be killed exactly there.

It says that it has come there by making the file that FAULTS_REACHED names.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection

import booking.api.bookings
import booking.transaction.unit_of_work as frame
from realtime.store.live_store import LiveStore

HOLD_S = 60.0
BATCH_PART = 10  # rooms of a batch that are projected before the hold


def hold() -> None:
    Path(os.environ["FAULTS_REACHED"]).touch()
    threading.Event().wait(HOLD_S)


def hold_after_commit() -> None:
    real = booking.api.bookings.book_rooms

    def book_rooms(**command: Any) -> Any:
        facts = real(**command)
        hold()
        return facts

    booking.api.bookings.book_rooms = book_rooms


def hold_before_commit() -> None:
    real = frame.mark_rooms_changed

    def mark_rooms_changed(rooms: Any) -> None:
        real(rooms)
        if rooms:
            hold()

    frame.mark_rooms_changed = mark_rooms_changed


def commit_early() -> None:
    """Break the transaction in two: what was written so far is made to last."""
    real = frame.mark_rooms_changed

    def mark_rooms_changed(rooms: Any) -> None:
        if rooms:
            connection.connection.commit()
        real(rooms)

    frame.mark_rooms_changed = mark_rooms_changed


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
