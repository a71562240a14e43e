"""A busy pool of connections and an unreachable PostgreSQL are two different waits."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from psycopg_pool import ConnectionPool, PoolTimeout, TooManyRequests

from meeting_rooms.dev.servers.ports import free_port
from meeting_rooms.postgres_backend.pool import QueuedPool
from meeting_rooms.tests.test_admission import FOR_EVER_S, until

SHORT_S = 0.05  # the time without a connection after which PostgreSQL counts as away


class Seconds:
    """A clock that a test sets, and that counts its readings."""

    def __init__(self) -> None:
        self.now, self.reads = 0.0, 0

    def __call__(self) -> float:
        self.reads += 1
        return self.now


@contextmanager
def pool_of(url: str, size: int, **options) -> Iterator[QueuedPool]:
    settings = {"max_waiting": 9, "patience": FOR_EVER_S, "timeout": SHORT_S, **options}
    with (
        ThreadPoolExecutor(9) as threads,  # ends last: the end of the pool releases the threads
        QueuedPool(url, min_size=0, max_size=size, open=False, **settings) as pool,
    ):
        pool.threads = threads
        yield pool


def connected(pool: ConnectionPool) -> object:
    """Return a connection, without a limit on the time that PostgreSQL needs to open it."""
    return pool.getconn(FOR_EVER_S)


def waits(pool: QueuedPool, callers: int) -> None:
    until(lambda: len(pool._admission._waiting) == callers)


def test_busy_pool__longer_than_the_time_out__refuses_no_caller(settings):
    with pool_of(settings.DATABASE_URL, 1) as pool:
        taken = connected(pool)
        waiting = [pool.threads.submit(pool.getconn) for _ in range(3)]
        waits(pool, 3)
        taken.execute("SELECT pg_sleep(%s)", [4 * SHORT_S])
        pool.putconn(taken)
        for caller in waiting:
            pool.putconn(caller.result())


def test_negative_control__busy_psycopg_pool__refuses_waiting_callers(settings):
    with ConnectionPool(settings.DATABASE_URL, min_size=0, max_size=1, timeout=SHORT_S) as pool:
        taken = connected(pool)
        with pytest.raises(PoolTimeout):
            pool.getconn()
        pool.putconn(taken)


def test_full_queue__one_more_caller__is_refused_at_once(settings):
    with pool_of(settings.DATABASE_URL, 1, max_waiting=1) as pool:
        taken = connected(pool)
        waiting = pool.threads.submit(pool.getconn)
        waits(pool, 1)
        with pytest.raises(TooManyRequests):
            pool.getconn()
        pool.putconn(taken)
        pool.putconn(waiting.result())


def test_away__callers_with_a_place_and_in_the_queue__are_refused_together():
    seconds = Seconds()
    with pool_of(f"postgres://127.0.0.1:{free_port()}/nothing", 1, seconds=seconds) as pool:
        requests = [pool.threads.submit(pool.getconn) for _ in range(4)]
        waits(pool, 3)
        seconds.now = 2 * SHORT_S
        refusals = [caller.exception() for caller in requests]
    assert all(isinstance(refusal, PoolTimeout) for refusal in refusals)
    assert sum("earlier request" in str(refusal) for refusal in refusals) == 3


def test_closed_pool__waiting_caller__is_refused(settings):
    with pool_of(settings.DATABASE_URL, 1) as pool:
        taken = connected(pool)
        waiting = pool.threads.submit(pool.getconn)
        waits(pool, 1)
        pool.close()
        assert isinstance(waiting.exception(), PoolTimeout)
        pool.putconn(taken)


def test_away__after_refusals__no_place_is_lost():
    with pool_of(f"postgres://127.0.0.1:{free_port()}/nothing", 1) as pool:
        for _ in range(3):
            with pytest.raises(PoolTimeout):
                pool.getconn()


def test_slow_connection__other_callers_are_served__is_not_away():
    seconds = Seconds()
    with pool_of(f"postgres://127.0.0.1:{free_port()}/nothing", 1, seconds=seconds) as pool:
        caller = pool.threads.submit(pool.getconn)
        until(lambda: seconds.reads > 2)
        pool._served_at = 0.8 * SHORT_S  # another user
        seconds.now = 1.6 * SHORT_S
        reads_before = seconds.reads
        until(lambda: seconds.reads > reads_before + 3)
        assert not caller.done()
        seconds.now = 2 * SHORT_S
        assert isinstance(caller.exception(), PoolTimeout)


def test_patience__is_over_despite_progress__is_refused():
    seconds, patience_s = Seconds(), 1.2 * SHORT_S
    address = f"postgres://127.0.0.1:{free_port()}/nothing"
    with pool_of(address, 1, seconds=seconds, patience=patience_s) as pool:
        caller = pool.threads.submit(pool.getconn)
        until(lambda: seconds.reads > 2)
        # another user; without the limit the caller could wait until 2.1
        pool._served_at = 1.1 * SHORT_S
        seconds.now = 1.3 * SHORT_S
        assert isinstance(caller.exception(), PoolTimeout)
