"""A connection to Postgres ends when the server stays silent."""

from collections.abc import Generator
from itertools import chain, repeat
from time import monotonic

import psycopg
import pytest

from meeting_rooms.kernel.store_outages import SETTLED_S, Store, StoreOutages
from meeting_rooms.postgres import GRACE_S, BoundedConnection, with_answer_noted


def test_wait__silent_server__ends_and_closes_the_connection(settings):
    settings.STATEMENT_TIMEOUT_MS = 200  # the client's limit; the server has none
    with BoundedConnection.connect(settings.DATABASE_URL) as connection:
        began = monotonic()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(30)")
        assert 0.2 + GRACE_S <= monotonic() - began < 30
        assert connection.closed


def test_wait__refused_statement__keeps_the_connection(settings):
    with BoundedConnection.connect(settings.DATABASE_URL, autocommit=True) as connection:
        connection.execute("SET statement_timeout = 50")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(30)")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_wait__statements_without_limit__has_no_limit(settings):
    settings.STATEMENT_TIMEOUT_MS = 0
    with BoundedConnection.connect(settings.DATABASE_URL) as connection:
        assert connection.execute("SELECT 1 FROM pg_sleep(0.3)").fetchone() == (1,)


def exchange(*waits: int) -> Generator[int, object, str]:
    """Yield each wait for the server, like a driver."""
    for wait in waits:
        ready = yield wait
        assert ready == "ready"
    return "result"


@pytest.mark.parametrize(("waits", "is_away"), [((), True), ((1,), False), ((1, 2), False)])
def test_exchange__with_postgres__ends_the_outage_only_after_a_wait(waits, is_away):
    times = chain([0.0], repeat(SETTLED_S))
    outages = StoreOutages(lambda: next(times))
    outages.failed(Store.POSTGRES, "refused")
    noted = with_answer_noted(exchange(*waits), outages)
    passed_on = []
    with pytest.raises(StopIteration) as ended:
        passed_on.append(next(noted))
        while True:
            passed_on.append(noted.send("ready"))
    assert ended.value.value == "result"
    assert tuple(passed_on) == waits
    assert outages.is_away(Store.POSTGRES) is is_away
