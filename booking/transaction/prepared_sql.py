"""How the booking commands speak to Postgres: one statement, one JSON document in, one out.

Django's cursor pastes parameters into the text, so Postgres parses and plans each time. Here a
statement is prepared once a connection and takes one document, which is cheaper to hand over than
eight parameters or to read than nine columns: each costs Python a look-up, a conversion and a type.
A cursor of psycopg costs as much again as the exchange itself, so outside transactions, where every
plain booking is, the exchange is made without one.
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

_numbers = count(1)
_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]] = WeakKeyDictionary()


def load_sql(module_file: str, name: str) -> str:
    """Return the statement in `sql/NAME.sql` beside the module: `load_sql(__file__, "name")`."""
    return (Path(module_file).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def as_plain_json(value: Any) -> Any:
    """Return the value as JSON has it: text for instants and ids, lists for tuples."""
    return orjson.loads(orjson.dumps(value))


def execute_json(statement: str, given: dict[str, Any]) -> Any:
    """Run the statement, whose only parameter ($1) and only column are JSON, as text.

    Returns what it says. Raises django.db's errors; the ones of psycopg are their causes.
    """
    django = connections[DEFAULT_DB_ALIAS]
    django.ensure_connection()
    session: psycopg.Connection[Any] = django.connection
    document = orjson.dumps(given)
    with django.wrap_database_errors:
        if session.autocommit:
            return orjson.loads(_exchange(session, statement, document))
        # A transaction is opened by the cursor's first statement.
        with psycopg.RawCursor(session) as cursor:
            row = cursor.execute(statement, (document.decode(),), prepare=True).fetchone()
    if row is None:
        raise LookupError("the statement gave no row")
    return orjson.loads(row[0])


def _exchange(session: psycopg.Connection[Any], statement: str, document: bytes) -> bytes:
    """Send the prepared statement and wait for its one value, within the connection's time-out."""
    with session.lock:
        result = session.wait(_steps(session, statement, document))
    value: bytes | None = result.get_value(0, 0)
    if value is None:
        raise LookupError("the statement gave no row")
    return value


def _steps(session: psycopg.Connection[Any], statement: str, document: bytes) -> PQGen[PGresult]:
    """Prepare the statement where this connection has not yet, then run it; return its result.

    All of it runs inside one `session.wait`, which closes the connection where an exchange is
    interrupted: nothing is ever sent whose answer nobody reads. A statement counts as prepared
    only once the server has said so.
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
