"""A log filter for the records, of any logger, that say only that a store is unavailable.

Drivers, pools, Django, asyncio and this project's code each report every failure, many with a
traceback. The filter passes these records to `StoreOutages`, which logs one line a minute instead.
"""

import logging
import sys
from collections.abc import Iterator
from http import HTTPStatus

import psycopg
import pymongo.errors
import redis.exceptions

from meeting_rooms.kernel.errors import LiveStoreUnavailableError
from meeting_rooms.kernel.store_outages import Store, StoreOutages, process_outages

# Beginnings of SQLSTATE codes: connection exceptions, and a server that stops, has crashed, starts
# or accepts no more clients.
_AWAY_STATES = ("08", "57P", "53300")
# Beginnings of messages of psycopg's pool without an exception: it gave up or lost a connection.
_POOL_LOG = "psycopg.pool"
_POOL_SAYS = ("reconnection attempt in pool", "discarding broken", "discarding closed")
_MAX_CHAIN = 20  # exceptions that are examined; chains may be circular


class StoreOutageFilter(logging.Filter):
    """Removes from a log the records about unavailable stores."""

    def __init__(self, outages: StoreOutages = process_outages) -> None:
        super().__init__()
        self._outages = outages

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write the record; a record that is not written counts as a failure."""
        if record.name == "django.request" and _is_unavailable(record):
            return False  # the answer to a request; its cause was logged before
        if record.name == _POOL_LOG and str(record.msg).startswith(_POOL_SAYS):
            self._outages.failed(Store.POSTGRES, record.getMessage())
            return False
        for exc in _exceptions_of(record):
            if store := _tagged(record) or store_of(exc):
                self._outages.failed(store, f"{type(exc).__name__}: {exc}".strip())
                return False
        return True


def store_of(exc: BaseException) -> Store | None:
    """Return the store whose outage caused the exception; None if it has another cause."""
    for one in _chain(exc):
        if isinstance(one, redis.exceptions.ConnectionError | redis.exceptions.TimeoutError):
            return Store.REDIS
        if isinstance(one, pymongo.errors.ConnectionFailure | LiveStoreUnavailableError):
            return Store.MONGODB
        if isinstance(one, psycopg.OperationalError | psycopg.InterfaceError) and _is_away(one):
            return Store.POSTGRES
    return None


def _is_away(exc: psycopg.Error) -> bool:
    """Return whether the connection failed: a statement may fail in many other ways."""
    if exc.sqlstate:
        return exc.sqlstate.startswith(_AWAY_STATES)
    return "connect" in str(exc)


def _is_unavailable(record: logging.LogRecord) -> bool:
    return getattr(record, "status_code", None) == HTTPStatus.SERVICE_UNAVAILABLE


def _tagged(record: logging.LogRecord) -> Store | None:
    """Return the store that a record of this project names, for an error of a general type."""
    name = record.msg.get("store") if isinstance(record.msg, dict) else None
    return Store(name) if name in set(Store) else None


def _exceptions_of(record: logging.LogRecord) -> Iterator[BaseException]:
    """Yield the exceptions of a record: its own, those in its arguments, those in its fields."""
    values: list[object] = list(record.exc_info or ())
    if isinstance(record.args, tuple):
        values += record.args
    if isinstance(record.msg, dict):
        values += record.msg.values()
        given = record.msg.get("exc_info")
        values += given if isinstance(given, tuple) else [sys.exc_info()[1] if given else None]
    return (value for value in values if isinstance(value, BaseException))


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """Yield the exception, its causes, and the members of groups."""
    waiting: list[BaseException | None] = [exc]
    for _ in range(_MAX_CHAIN):
        if not waiting:
            return
        if (one := waiting.pop()) is None:
            continue
        yield one
        waiting += [one.__cause__, None if one.__suppress_context__ else one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
