"""Pytest plugin: real servers for the test run, started before Django reads its settings.

Each run has a data folder of its own, so runs do not interfere. The next run removes the servers
and files of a killed run. A server whose URL is in the environment is used instead of an embedded
one. The processes of a parallel run (pytest-xdist) share the servers; each process has its own
Postgres database, MongoDB database and Redis prefix.
"""

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from pymongo import MongoClient
from pytest_django import DjangoDbBlocker

from meeting_rooms.dev import servers
from meeting_rooms.dev.pytest_schedule import GroupScheduling, long_first
from meeting_rooms.dev.servers import ENVIRONMENT, ServiceName

ROOT = Path(__file__).resolve().parents[2] / ".data"
# The name of this process in a parallel run; "" in the process that starts the other processes, and
# in a run that is not parallel.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
DATA_DIR = Path(os.environ["DATA_DIR"]) if WORKER else ROOT / f"test-{os.getpid()}"
DATABASE_FIXTURES = frozenset({"db", "transactional_db", "django_db_setup"})

SOCKETS_OF_MONGODB_DRIVER = "ignore:unclosed <socket:ResourceWarning"  # of `mongodb_away`

_failed: set[str] = set()

# The number of examples per test; `make test-thorough` has more. There is no time limit for an
# example or its generation, because a busy machine may need long for both.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", UNTIMED, max_examples=50)
settings.register_profile("thorough", UNTIMED, max_examples=1000, print_blob=True)

ENVIRONMENT_OF_TESTS = {
    "SECRET_KEY": "for-tests-only-" + "x" * 40,
    "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    "HTTPS": "0",
    "DEMO": "0",
    "DEBUG": "0",
    "LOG_LEVEL": "WARNING",
    "LOG_JSON": "1",
    "MONGODB_DATABASE": "meeting_rooms_test",
    "REDIS_PREFIX": "meeting_rooms_test",
}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Start the servers, let pytest-django load the settings, then collect the static files."""
    if WORKER:
        _take_own_names()
        return (yield)
    _start_servers()
    try:
        outcome = yield
        _collect_static_files()
        return outcome
    except BaseException:
        pytest_unconfigure()  # pytest does not call this hook for a run that fails to start
        raise


def _start_servers() -> None:
    wanted = [name for name in ServiceName if not os.environ.get(ENVIRONMENT[name])]
    servers.reap_orphans(ROOT, report=_quiet)
    started = servers.start(DATA_DIR, wanted=wanted, owner_pid=os.getpid(), report=_quiet)
    os.environ.update(ENVIRONMENT_OF_TESTS, DATA_DIR=str(DATA_DIR))
    os.environ.update({ENVIRONMENT[name]: url for name, url in started.urls.items()})
    if ServiceName.POSTGRES in started.started:
        _turn_off_durability(started.urls[ServiceName.POSTGRES])
    if mongodb := started.urls.get(ServiceName.MONGODB):
        _turn_off_expiry(mongodb)


def _collect_static_files() -> None:
    """Collect the static files, so that pages render with the static storage of production."""
    from django.core.management import call_command  # settings are loaded only now

    call_command("collectstatic", interactive=False, verbosity=0)


def _take_own_names() -> None:
    """Set names in the shared stores that no other process of the run uses."""
    for name in ("MONGODB_DATABASE", "REDIS_PREFIX"):
        os.environ[name] = f"{ENVIRONMENT_OF_TESTS[name]}_{WORKER}"


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop the servers that this run has started, and no others."""
    if not WORKER:
        servers.stop(DATA_DIR, report=_quiet)
        shutil.rmtree(DATA_DIR, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Exempt the objects that exist now from garbage collection: they live until the end.

    Other objects are collected as often as usual, so that a test that leaks a socket fails itself.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long tests first; the other tests keep their random order."""
    long_first(items)
    for item in items:
        if "mongodb_away" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.filterwarnings(SOCKETS_OF_MONGODB_DRIVER))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Run the tests of one group, which share an expensive fixture, in one process."""
    return GroupScheduling(config, log)


def _turn_off_expiry(mongodb_url: str) -> None:
    """Turn off TTL indexes: tests use times in the past, and MongoDB uses the machine's clock."""
    unwanted = {"ttlMonitorEnabled": False, "diagnosticDataCollectionEnabled": False}
    with MongoClient[dict[str, object]](mongodb_url, timeoutMS=10_000) as client:
        client.admin.command({"setParameter": 1, **unwanted})


def _turn_off_durability(postgres_url: str) -> None:
    """Make commits return without waiting for the disk: the data of a test run is deleted."""
    with psycopg.connect(postgres_url, autocommit=True, connect_timeout=10) as connection:
        for setting in ("synchronous_commit = off", "full_page_writes = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")


def _quiet(_line: str) -> None:
    """Print nothing: a failing start raises an error with the log of the server."""


@pytest.fixture(scope="session", autouse=True)
def _template_database(
    request: pytest.FixtureRequest,
    django_test_environment: None,  # noqa: ARG001 - settings first
    django_db_blocker: DjangoDbBlocker,
) -> None:
    """Run the migrations once for all processes, if a test needs a database."""
    from django.conf import settings  # settings are loaded only now

    from meeting_rooms.dev import pytest_database as database

    if not any(_needs_database(item) for item in request.session.items):
        return
    with database.first_of_the_run(DATA_DIR / "template") as is_first:
        if is_first:
            with django_db_blocker.unblock():
                database.make_template()
    settings.DATABASES["default"]["TEST"]["TEMPLATE"] = database.template_name()


def _needs_database(item: pytest.Item) -> bool:
    fixtures = frozenset(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & DATABASE_FIXTURES)


@pytest.fixture(scope="session", autouse=True)
def _cheap_teardown(django_test_environment: None) -> Iterator[None]:  # noqa: ARG001 - settings first
    """Empty the tables with `empty_tables`: Django's own way takes 50 times as long, and locks."""
    from django.test import TransactionTestCase

    from meeting_rooms.dev.pytest_database import empty_tables

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: empty_tables())
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_read_once(django_test_environment: None) -> Iterator[None]:  # noqa: ARG001 - settings first
    """Let all test clients of a process share one listing of the static files.

    Each client makes a middleware of its own, which lists every file: 60 ms per client.
    """
    from django.contrib.staticfiles.storage import staticfiles_storage
    from servestatic.middleware import ServeStaticMiddleware

    assert staticfiles_storage.hashed_files, "no static files"  # type: ignore[attr-defined] # noqa: S101
    read = ServeStaticMiddleware.add_files_from_manifest
    known: dict[str, Any] = {}

    def add_known(middleware: ServeStaticMiddleware) -> None:
        if not known:
            read(middleware)
            known.update(middleware.files)
        middleware.files.update(known)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ServeStaticMiddleware, "add_files_from_manifest", add_known)
        yield


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Pause the timer of pytest-timeout while a report is written.

    The time-out raises an exception; outside a test, this exception would end the process.
    """
    left_s, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, left_s)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Close the connections of a failed test, which may be in any state."""
    if hasattr(report, "node"):
        return  # the test ran in another process
    if report.failed:
        _failed.add(report.nodeid)
    if report.when == "teardown" and report.nodeid in _failed:
        _failed.discard(report.nodeid)
        from meeting_rooms.dev.pytest_database import drop_connections

        drop_connections()


@pytest.fixture
def mongodb_away() -> Iterator[None]:
    """Let a test close MongoDB clients that cannot connect.

    A monitor of the driver that is cancelled while it connects leaves its socket to the garbage
    collector. Only in these tests is the warning ignored, and no later test gets it.
    """
    yield
    gc.collect()
