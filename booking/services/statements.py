"""How the booking commands speak to Postgres: one statement, one JSON document in, one out.

Django's cursor pastes parameters into the text, so Postgres parses and plans each time; psycopg's
own prepares the statement once a connection. One document is cheaper to hand over than eight
parameters, or to read than nine columns: each costs Python a look-up, a conversion and a type.
"""

from typing import Any

import orjson
import psycopg
from django.db import DEFAULT_DB_ALIAS, connections


def as_plain_json(value: Any) -> Any:
    """Return the value as JSON has it: text for instants and ids, lists for tuples."""
    return orjson.loads(orjson.dumps(value))


def ask(statement: str, given: dict[str, Any]) -> Any:
    """Run the statement, whose only parameter and only column are JSON, and return what it says.

    Raises django.db's errors; the ones of psycopg are their causes.
    """
    django = connections[DEFAULT_DB_ALIAS]
    django.ensure_connection()
    with django.wrap_database_errors, psycopg.Cursor(django.connection) as cursor:
        row = cursor.execute(statement, (orjson.dumps(given).decode(),), prepare=True).fetchone()
    if row is None:
        raise LookupError("the statement gave no row")
    return orjson.loads(row[0])
