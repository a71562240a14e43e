"""Run commands in threads with their own connections: at once, or one in the middle of another."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import count
from threading import Barrier, Event, get_ident

from django.db import connection

from booking.transaction.step_hooks import Step, hooked

Command = Callable[[], object]
TIMEOUT_S = 20
BLOCKED = """
SELECT EXISTS (
  SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
)
"""
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


# The steps at which a command can be overtaken; each is between the command's reads and writes.
OVERTAKEN_AT = (Step.ROOMS_CHOSEN, Step.SNAPSHOT_READ, Step.BEFORE_WRITE)


def outcome_of(command: Command) -> object:
    """Return what the command returned or raised."""
    try:
        return command()
    except Exception as exc:  # noqa: BLE001 - the checks distinguish refusals and faults
        return exc


def with_a_pooled_connection(command: Command) -> Command:
    """Return a command that also closes the connection of its thread, as a request does."""

    def run() -> object:
        try:
            return command()
        finally:
            connection.close()

    return run


class RaceThreads:
    """A fixed number of threads, each with a connection that it keeps from round to round."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.executor = ThreadPoolExecutor(size)

    def at_once(self, *commands: Command) -> list[object]:
        """Start the commands at once; return what each returned or raised, in their order."""
        start = Barrier(len(commands))

        def run(command: Command) -> object:
            start.wait(TIMEOUT_S)
            return outcome_of(command)

        return list(self.executor.map(run, commands))

    def all_decide_first(self, *commands: Command) -> list[object]:
        """Run the commands so that none writes before all have decided, which is the worst case."""
        gate = Barrier(len(commands))
        arrived: set[int] = set()

        def wait_for_all(_context: object) -> None:
            if get_ident() not in arrived:
                arrived.add(get_ident())
                gate.wait(TIMEOUT_S)

        with hooked(Step.BEFORE_WRITE, wait_for_all):
            return self.at_once(*commands)

    def overtaken(self, slow: Command, fast: Command, where: Step) -> list[object]:
        """Run `fast` while `slow` pauses, when `slow` reaches the step `where` for the first time.

        If `slow` holds a lock that `fast` waits for, `slow` continues as soon as `fast` waits.
        """
        paused, may_continue = Event(), Event()
        slow_thread: list[int] = []

        def pause(_context: object) -> None:
            if slow_thread == [get_ident()] and not paused.is_set():
                paused.set()
                may_continue.wait(TIMEOUT_S)

        def start_slow() -> object:
            slow_thread.append(get_ident())
            try:
                return outcome_of(slow)
            finally:
                paused.set()  # `slow` may be refused before it reaches the step

        with hooked(where, pause):
            first = self.executor.submit(start_slow)
            paused.wait(TIMEOUT_S)
            second = self.executor.submit(outcome_of, fast)
            _wait_until_done_or_blocked(second)
            may_continue.set()
            return [first.result(TIMEOUT_S), second.result(TIMEOUT_S)]

    def close(self) -> None:
        """Flush the Postgres statistics of each thread, and close its connection."""
        start = Barrier(self.size)

        def flush_and_close(_number: int) -> None:
            start.wait(TIMEOUT_S)
            if connection.connection is not None:
                connection.cursor().execute("SELECT pg_stat_force_next_flush()")
            connection.close()

        list(self.executor.map(flush_and_close, range(self.size)))
        self.executor.shutdown()


def _wait_until_done_or_blocked(running: Future[object]) -> None:
    for _ in count():
        done, _waiting = wait([running], timeout=0.002)
        if done or query_value(BLOCKED):
            return


def query_value(sql: str) -> object:
    """Return the single value that the query selects."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@contextmanager
def open_race_threads(size: int) -> Iterator[RaceThreads]:
    """Open threads that switch often; assert at the end that no deadlock happened."""
    before, original = query_value(DEADLOCKS), sys.getswitchinterval()
    race_threads = RaceThreads(size)
    sys.setswitchinterval(1e-5)
    try:
        yield race_threads
    finally:
        sys.setswitchinterval(original)
        race_threads.close()
    assert query_value(DEADLOCKS) == before, "Postgres had to end a deadlock"
