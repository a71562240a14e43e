"""Interrupted statements do not affect the next statement of the same connection."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from threading import Thread, main_thread

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction

from booking.models import Booking
from booking.transaction.prepared_sql import execute_json

JOIN_TIMEOUT_S = 20
COUNT_ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"
SLEEP = "SELECT '1'::text FROM pg_sleep(5), (SELECT $1::jsonb) AS given"
ECHO = "SELECT (($1::jsonb)->>'n')::text"


class TestTimeoutError(BaseException):
    """The kind of exception that pytest-timeout raises from a signal handler."""

    __test__ = False


def sleep_in_the_raw_exchange() -> None:
    execute_json(SLEEP, {})


def sleep_in_a_cursor() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")


@contextmanager
def interrupted_by(exception: BaseException) -> Iterator[None]:
    """Raise the exception in the main thread once Postgres runs this connection's pg_sleep."""

    def interrupt(_number: int, _frame: object) -> None:
        raise exception

    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    watcher = Thread(target=_signal_when_asleep, args=(pid, connection.get_connection_params()))
    usual = signal.signal(signal.SIGUSR1, interrupt)
    watcher.start()
    try:
        with pytest.raises(type(exception)):
            yield
    finally:
        watcher.join(JOIN_TIMEOUT_S)
        signal.signal(signal.SIGUSR1, usual)


def _signal_when_asleep(pid: int, parameters: dict[str, object]) -> None:
    with psycopg.connect(**parameters, autocommit=True) as watching:
        while watching.execute(COUNT_ASLEEP, [pid]).fetchone() == (0,):
            pass
    signal.pthread_kill(main_thread().ident, signal.SIGUSR1)


EXCEPTIONS = [TestTimeoutError, KeyboardInterrupt, SystemExit, GeneratorExit, RuntimeError]
SLEEPERS = [sleep_in_the_raw_exchange, sleep_in_a_cursor]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("exception", EXCEPTIONS)
@pytest.mark.parametrize("sleep", SLEEPERS)
def test_interrupted_statement__followed_by_others__leaves_their_answers_correct(
    sleep: Callable[[], None], exception: type[BaseException]
):
    with interrupted_by(exception()):
        sleep()
    assert [execute_json(ECHO, {"n": n}) for n in (7, 8)] == [7, 8]
    assert Booking.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("exception", EXCEPTIONS)
@pytest.mark.parametrize("sleep", SLEEPERS)
def test_interrupted_transaction__followed_by_another__stores_nothing_and_the_next_works(
    sleep: Callable[[], None], exception: type[BaseException]
):
    with interrupted_by(exception()), transaction.atomic():
        sleep()
    with transaction.atomic():
        assert execute_json(ECHO, {"n": 7}) == 7
    assert execute_json(ECHO, {"n": 8}) == 8


@pytest.mark.django_db
@pytest.mark.parametrize("number", [1, 2])
def test_interrupted_test__followed_by_another__leaves_it_intact(number: int):
    """The transaction of the first test is lost; the second test has its own transaction."""
    assert execute_json(ECHO, {"n": number}) == number
    if number == 1:
        with interrupted_by(TestTimeoutError()):
            sleep_in_the_raw_exchange()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("within", [nullcontext, transaction.atomic])
def test_statement__that_cannot_be_prepared__is_refused_each_time_and_affects_no_other(within):
    for _ in range(2):
        with pytest.raises(ProgrammingError), within():
            execute_json("SELECT no_such_function($1::jsonb)", {})
    assert execute_json(ECHO, {"n": 7}) == 7
