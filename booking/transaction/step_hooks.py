"""Named steps of a booking command at which a test or a fault run can act.

For tests only: the product installs no hook, and then a step costs one look at an empty dict. A
test uses `hooked`; a child process that a fault run starts uses `install` and never removes it. A
hook runs in the thread and in the transaction of the command that reaches the step: it may wait,
end the process, run another command or raise.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from booking.transaction.read_snapshot import Snapshot


class Step(Enum):
    """The steps of one attempt, in their order. Expired bookings are written first, by the same."""

    ROOMS_CHOSEN = "the rooms are known; nothing is locked and nothing of them is read"
    SNAPSHOT_READ = "the rooms, bookings and quotas are read"
    BEFORE_WRITE = "the decision is made; nothing of it is written"
    CHANGES_WRITTEN = "the bookings are written, receipts are not"
    BEFORE_COMMIT = "everything is written; a transaction, where there is one, is open"
    COMMITTED = "the command is stored; its caller has no answer yet"


Hook = Callable[[Snapshot | None], object]  # what the command has read: None at ROOMS_CHOSEN
_hooks: dict[Step, Hook] = {}


def reach(step: Step, snapshot: Snapshot | None = None) -> None:
    """Run the hook of this step, if a test has installed one."""
    if _hooks and (hook := _hooks.get(step)) is not None:
        hook(snapshot)


def install(step: Step, hook: Hook) -> None:
    """Run `hook` whenever any command of this process reaches the step.

    Raises RuntimeError where the step has a hook: one of the two would not run.
    """
    if step in _hooks:
        raise RuntimeError(f"{step} has a hook already")
    _hooks[step] = hook


@contextmanager
def hooked(step: Step, hook: Hook) -> Iterator[None]:
    """Install the hook for the length of a block."""
    install(step, hook)
    try:
        yield
    finally:
        del _hooks[step]
