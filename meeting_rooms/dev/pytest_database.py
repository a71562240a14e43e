"""The database of a test process: a copy of a template, emptied after each test that commits.

The processes of a test run share one Postgres. The first of them runs the migrations in a template;
each process works in a copy of the template.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from psycopg.errors import DeadlockDetected

from meeting_rooms.dev.servers.lock import exclusive

ATTEMPTS = 3  # to empty the tables while a server process still works in them
# Triggers are off: the audit log refuses to delete rows, and foreign keys would require an order.
# DELETE locks rows only, so it does not block a process that reads at the same time. Most tables
# are empty, and for tables this small TRUNCATE takes ten times as long. The excluded tables hold
# rows of the migrations that no test changes.
EMPTY = """
DO $$
DECLARE
  name regclass;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN
    SELECT oid FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND relname NOT IN ('auth_permission', 'django_content_type', 'django_migrations')
  LOOP
    EXECUTE format('DELETE FROM %s', name);
  END LOOP;
END $$
"""
# Sessions that a finished test has left inside a transaction. A server process never waits for 1 s
# inside a transaction.
LEFT_OPEN = """
SELECT pid, query FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND state LIKE 'idle in transaction%' AND state_change < now() - interval '1 s'
"""


@contextmanager
def first_of_the_run(folder: Path) -> Iterator[bool]:
    """Hold the lock of the run; yield whether this process is the first that holds the lock."""
    folder.mkdir(exist_ok=True)
    with exclusive(folder):
        done = folder / "done"
        yield not done.exists()
        done.touch()


def template_name() -> str:
    """Return the name of the database that the run's processes copy."""
    return f"test_{settings.DATABASES[DEFAULT_DB_ALIAS]['NAME']}_template"


def make_template() -> None:
    """Create the template and run the migrations in it; leave no session open there."""
    own = connection.settings_dict["NAME"]
    wanted = connection.settings_dict["TEST"]
    wanted["NAME"] = template_name()
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    finally:
        drop_connections()
        wanted["NAME"] = None
        settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"] = connection.settings_dict["NAME"] = own


def drop_connections() -> None:
    """Close every connection of this process, also one in a broken state."""
    connection.close()
    getattr(connection, "close_pool")()  # noqa: B009 - missing in the stubs of Django
    del connections[DEFAULT_DB_ALIAS]


def empty_tables() -> None:
    """Delete all rows that a test has committed.

    Raises AssertionError if the test has left a transaction open that holds its rows.
    Guarantees: after the error too, the next test finds no row and no such transaction.
    """
    try:
        _delete_rows()
    except OperationalError as exc:
        left_open = _end_open_transactions()
        _delete_rows()
        if left_open:
            raise AssertionError(f"the test left transactions open: {left_open}") from exc


def _delete_rows() -> None:
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            with connection.cursor() as cursor:
                cursor.execute(EMPTY)
        except OperationalError as exc:
            # Postgres aborts one side of a deadlock and continues the other, so this side retries.
            if not (attempts_left and isinstance(exc.__cause__, DeadlockDetected)):
                raise
        else:
            return


def _end_open_transactions() -> list[str]:
    """End the sessions that wait inside a transaction; return their last statements."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT_OPEN)
        found = cursor.fetchall()
        for pid, _ in found:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    return [query for _, query in found]
