"""Connections to Postgres are given up when it falls silent."""

from time import monotonic

import psycopg
import pytest

from meeting_rooms.postgres import GRACE_S, BoundedConnection


def test_wait__silent_server__ends_and_closes_the_connection(settings):
    settings.STATEMENT_TIMEOUT_MS = 200  # the client's measure; this server knows no limit
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


def test_wait__no_limit_to_statements__no_limit_here(settings):
    settings.STATEMENT_TIMEOUT_MS = 0
    with BoundedConnection.connect(settings.DATABASE_URL) as connection:
        assert connection.execute("SELECT 1 FROM pg_sleep(0.3)").fetchone() == (1,)
