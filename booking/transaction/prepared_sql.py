"""Prepared statements with one JSON document as parameter and one as result.

Django's cursor writes parameters into the text of a statement, so Postgres parses and plans the
statement each time. Here a statement is prepared once per connection. One JSON document is cheaper
than eight parameters or nine columns, because Python looks up a type and converts for each of them.
A cursor of psycopg costs as much again as the exchange itself. So outside transactions, where most
bookings are made, the exchange uses no cursor.
"""

from itertools import count
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import orjson
import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

_numbers = count(1)  # for the names of prepared statements
_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]] = WeakKeyDictionary()


def load_sql(module_file: str, name: str) -> str:
    """Return the statement in `sql/NAME.sql` beside the module: `load_sql(__file__, "name")`."""
    return (Path(module_file).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def as_plain_json(value: Any) -> Any:
    """Return the value with JSON types only: instants and ids as text, tuples as lists."""
    return orjson.loads(orjson.dumps(value))


def execute_json(statement: str, given: dict[str, Any]) -> Any:
    """Run the statement and return its result. Its parameter ($1) and its column are JSON text.

    Raises the errors of `django.db`; their causes are the errors of psycopg. Raises LookupError if
    the statement gives no row.
    """
    django = connections[DEFAULT_DB_ALIAS]
    django.ensure_connection()
    session: psycopg.Connection[Any] = django.connection
    document = orjson.dumps(given)
    with django.wrap_database_errors:
        if session.autocommit:
            return orjson.loads(_exchange(session, statement, document))
        # Inside a transaction a cursor is needed: its first statement opens the transaction.
        with psycopg.RawCursor(session) as cursor:
            row = cursor.execute(statement, (document.decode(),), prepare=True).fetchone()
    if row is None:
        raise LookupError("the statement gave no row")
    return orjson.loads(row[0])


def _exchange(session: psycopg.Connection[Any], statement: str, document: bytes) -> bytes:
    """Run the prepared statement and return its one value, within the connection's time-out."""
    with session.lock:
        result = session.wait(_steps(session, statement, document))
    value: bytes | None = result.get_value(0, 0)
    if value is None:
        raise LookupError("the statement gave no row")
    return value


def _steps(session: psycopg.Connection[Any], statement: str, document: bytes) -> PQGen[PGresult]:
    """Run the statement, and prepare it first if this connection has not; return its result.

    Both steps run inside one `session.wait`, which closes the connection if the exchange is
    interrupted, so no answer stays unread on an open connection. A statement counts as prepared
    only after the server has confirmed it.
    """
    known = _prepared.setdefault(session, {})
    if (name := known.get(statement)) is None:
        name = b"booking_%d" % next(_numbers)
        session.pgconn.send_prepare(name, statement.encode())
        _require((yield from generators.execute(session.pgconn)), ExecStatus.COMMAND_OK)
        known[statement] = name
    session.pgconn.send_query_prepared(name, [document])
    return _require((yield from generators.execute(session.pgconn)), ExecStatus.TUPLES_OK)


def _require(results: list[PGresult], status: ExecStatus) -> PGresult:
    result = results[0]
    if result.status != status:
        raise error_from_result(result)
    return result
