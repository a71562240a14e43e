"""Named steps of a booking command at which a test or a fault run can act.

For tests only. The product installs no hook, and without hooks a step costs one check of an empty
dict. A test uses `hooked`. A child process of a fault run uses `install` and never removes the
hook. A hook runs in the thread and in the transaction of the command that reaches the step: the
hook may wait, end the process, run another command or raise.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from booking.transaction.read_snapshot import Snapshot


class Step(Enum):
    """The steps of one attempt, in order. Writing the due bookings first reaches the same steps.

    A command that reads a second snapshot reaches SNAPSHOT_READ twice.
    """

    ROOMS_CHOSEN = "the rooms are known; they are neither locked nor read"
    SNAPSHOT_READ = "the rooms, bookings and quotas are read"
    BEFORE_WRITE = "the decision is made and not written"
    CHANGES_WRITTEN = "the bookings are written, receipts are not"
    BEFORE_COMMIT = "everything is written; the transaction, if there is one, is open"
    COMMITTED = "the changes are committed; the caller has no answer yet"


Hook = Callable[[Snapshot | None], object]  # called with the snapshot; None at ROOMS_CHOSEN
_hooks: dict[Step, Hook] = {}


def reach(step: Step, snapshot: Snapshot | None = None) -> None:
    """Run the hook of this step, if a test has installed one."""
    if _hooks and (hook := _hooks.get(step)) is not None:
        hook(snapshot)


def install(step: Step, hook: Hook) -> None:
    """Run `hook` whenever any command of this process reaches the step.

    Raises RuntimeError if the step has a hook, because only one hook of a step runs.
    """
    if step in _hooks:
        raise RuntimeError(f"{step} already has a hook")
    _hooks[step] = hook


@contextmanager
def hooked(step: Step, hook: Hook) -> Iterator[None]:
    """Install the hook for the duration of a `with` block. Raises as `install` does."""
    install(step, hook)
    try:
        yield
    finally:
        del _hooks[step]
