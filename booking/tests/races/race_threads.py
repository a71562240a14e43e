"""Where commands meet: in threads with connections of their own, together or one inside another."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import count
from threading import Barrier, Event, get_ident

from django.db import connection

from booking.transaction.step_hooks import Step, hooked

Command = Callable[[], object]
PATIENCE_S = 20
BLOCKED = """
SELECT EXISTS (
  SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
)
"""
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


# Where a command can be overtaken: each step is one place between what it reads and what it writes.
OVERTAKEN_AT = (Step.ROOMS_CHOSEN, Step.SNAPSHOT_READ, Step.BEFORE_WRITE)


def outcome_of(command: Command) -> object:
    """Return what the command returned or raised."""
    try:
        return command()
    except Exception as exc:  # noqa: BLE001 - the checks tell refusals from faults
        return exc


def with_a_pooled_connection(command: Command) -> Command:
    """Let the command give its connection back, as a request does: there are more clients."""

    def run() -> object:
        try:
            return command()
        finally:
            connection.close()

    return run


class Ring:
    """So many threads, each with a connection that it keeps from round to round."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.threads = ThreadPoolExecutor(size)

    def at_once(self, *commands: Command) -> list[object]:
        """Start the commands together; return what each returned or raised, in their order."""
        start = Barrier(len(commands))

        def run(command: Command) -> object:
            start.wait(PATIENCE_S)
            return outcome_of(command)

        return list(self.threads.map(run, commands))

    def all_decide_first(self, *commands: Command) -> list[object]:
        """Let nobody write before everybody has decided: the worst that can happen."""
        gate = Barrier(len(commands))
        seen: set[int] = set()

        def meet(_seen: object) -> None:
            if get_ident() not in seen:
                seen.add(get_ident())
                gate.wait(PATIENCE_S)

        with hooked(Step.BEFORE_WRITE, meet):
            return self.at_once(*commands)

    def overtaken(self, slow: Command, fast: Command, where: Step) -> list[object]:
        """Run `fast` while `slow` stands still, the first time that it comes to this step.

        Where `slow` holds a lock that `fast` waits for, it goes on as soon as that is seen.
        """
        paused, go_on = Event(), Event()
        slow_thread: list[int] = []

        def pause(_seen: object) -> None:
            if slow_thread == [get_ident()] and not paused.is_set():
                paused.set()
                go_on.wait(PATIENCE_S)

        def start_slow() -> object:
            slow_thread.append(get_ident())
            try:
                return outcome_of(slow)
            finally:
                paused.set()  # it may be refused before it comes there

        with hooked(where, pause):
            first = self.threads.submit(start_slow)
            paused.wait(PATIENCE_S)
            second = self.threads.submit(outcome_of, fast)
            _wait_until_done_or_blocked(second)
            go_on.set()
            return [first.result(PATIENCE_S), second.result(PATIENCE_S)]

    def close(self) -> None:
        """Let each thread report what Postgres counted for it, and close its connection."""
        start = Barrier(self.size)

        def leave(_number: int) -> None:
            start.wait(PATIENCE_S)
            if connection.connection is not None:
                connection.cursor().execute("SELECT pg_stat_force_next_flush()")
            connection.close()

        list(self.threads.map(leave, range(self.size)))
        self.threads.shutdown()


def _wait_until_done_or_blocked(running: Future[object]) -> None:
    for _ in count():
        done, _waiting = wait([running], timeout=0.002)
        if done or ask(BLOCKED):
            return


def ask(question: str) -> object:
    """Return the only value of the only row."""
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


@contextmanager
def ring_of(size: int) -> Iterator[Ring]:
    """Open a ring where threads take turns often; no deadlock may happen in it."""
    before, usual = ask(DEADLOCKS), sys.getswitchinterval()
    ring = Ring(size)
    sys.setswitchinterval(1e-5)
    try:
        yield ring
    finally:
        sys.setswitchinterval(usual)
        ring.close()
    assert ask(DEADLOCKS) == before, "Postgres had to end a deadlock"
