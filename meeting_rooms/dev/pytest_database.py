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
# Rows go without their triggers: the audit log refuses to lose rows, and foreign keys would ask for
# an order. DELETE locks rows only, so a process that reads meanwhile neither waits nor is waited
# for; most tables are empty, and of tables this small TRUNCATE takes ten times as long. What stays
# is what the migrations have stored and no test changes.
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
# Sessions that wait inside a transaction for a test that is over; a server waits for no second.
LEFT_OPEN = """
SELECT pid, query FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND state LIKE 'idle in transaction%' AND state_change < now() - interval '1 s'
"""


@contextmanager
def first_of_the_run(folder: Path) -> Iterator[bool]:
    """Let one process of the run in at a time; yield whether it is the first."""
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
        start_afresh()
        wanted["NAME"] = None
        settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"] = connection.settings_dict["NAME"] = own


def start_afresh() -> None:
    """Give up every connection of this process, whatever state a test has left it in."""
    connection.close()
    getattr(connection, "close_pool")()  # noqa: B009 - the stubs of Django do not know it
    del connections[DEFAULT_DB_ALIAS]


def empty_tables() -> None:
    """Delete what a test has committed.

    Raises: AssertionError when the test has left a transaction open that holds its rows.
    Guarantees: the next test finds no row and no such transaction all the same.
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
            # Postgres ends one side of a deadlock; the other one goes on, and this side may again.
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
