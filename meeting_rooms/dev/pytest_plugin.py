"""Pytest plugin: real servers for the test run, started before Django reads its settings.

Each run has a data folder of its own, so runs do not meet; what a killed run left is cleared by the
next one. A server whose URL is in the environment is used instead. The processes of a parallel run
(pytest-xdist) share the servers; each has its own Postgres database, MongoDB database and Redis
prefix.
"""

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
# The name of this process among those of a parallel run; "" for the one that starts the others, and
# for a run that is not parallel.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
DATA_DIR = Path(os.environ["DATA_DIR"]) if WORKER else ROOT / f"test-{os.getpid()}"
DATABASE_FIXTURES = frozenset({"db", "transactional_db", "django_db_setup"})

_failed: set[str] = set()

# A budget of examples a run; `make test-thorough` has more. Neither an example nor its making
# is timed: on a busy machine both take as long as they take.
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
        pytest_unconfigure()  # pytest itself does not call it for a run that fails to start
        raise


def _start_servers() -> None:
    wanted = [name for name in ServiceName if not os.environ.get(ENVIRONMENT[name])]
    servers.reap_orphans(ROOT, report=_quiet)
    started = servers.start(DATA_DIR, wanted=wanted, owner_pid=os.getpid(), report=_quiet)
    os.environ.update(ENVIRONMENT_OF_TESTS, DATA_DIR=str(DATA_DIR))
    os.environ.update({ENVIRONMENT[name]: url for name, url in started.urls.items()})
    if ServiceName.POSTGRES in started.started:
        _keep_nothing_safe(started.urls[ServiceName.POSTGRES])
    if mongodb := started.urls.get(ServiceName.MONGODB):
        _keep_the_past(mongodb)


def _collect_static_files() -> None:
    """Let pages be rendered with the storage of production, which reads its list only once."""
    from django.core.management import call_command  # settings are loaded only now

    call_command("collectstatic", interactive=False, verbosity=0)


def _take_own_names() -> None:
    """Take names in the shared stores that no other process of the run has."""
    for name in ("MONGODB_DATABASE", "REDIS_PREFIX"):
        os.environ[name] = f"{ENVIRONMENT_OF_TESTS[name]}_{WORKER}"


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what was started, and nothing else."""
    if not WORKER:
        servers.stop(DATA_DIR, report=_quiet)
        shutil.rmtree(DATA_DIR, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take long; the others keep their random order."""
    long_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Keep the tests together that share what is expensive to start."""
    return GroupScheduling(config, log)


def _keep_the_past(mongodb_url: str) -> None:
    """Let nothing expire: tests live in the past, and MongoDB goes by the wall clock."""
    with MongoClient[dict[str, object]](mongodb_url, timeoutMS=10_000) as client:
        client.admin.command({"setParameter": 1, "ttlMonitorEnabled": False})


def _keep_nothing_safe(postgres_url: str) -> None:
    """Let no commit wait for the disk: the data of a test run is thrown away."""
    with psycopg.connect(postgres_url, autocommit=True, connect_timeout=10) as connection:
        for setting in ("synchronous_commit = off", "full_page_writes = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")


def _quiet(_line: str) -> None:
    """Say nothing: a failing start raises with the server's own words."""


@pytest.fixture(scope="session", autouse=True)
def _template_database(
    request: pytest.FixtureRequest,
    django_test_environment: None,  # noqa: ARG001 - settings first
    django_db_blocker: DjangoDbBlocker,
) -> None:
    """Run the migrations once for all processes, where any test needs a database."""
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
    """Empty the tables in the way of `empty_tables`: Django's takes 50 times as long, and locks."""
    from django.test import TransactionTestCase

    from meeting_rooms.dev.pytest_database import empty_tables

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: empty_tables())
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_read_once(django_test_environment: None) -> Iterator[None]:  # noqa: ARG001 - settings first
    """Let the test clients of a process share what the first has read about the static files.

    Each client makes a middleware of its own, which looks at every file: 60 ms a client.
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
    """Hold the clock of pytest-timeout while a report is written.

    Its time-out would end the process there: it is an exception, and no test's any more.
    """
    left_s, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, left_s)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Give up the connections of a test that has failed: they may be in any state."""
    if hasattr(report, "node"):
        return  # another process of the run has run it
    if report.failed:
        _failed.add(report.nodeid)
    if report.when == "teardown" and report.nodeid in _failed:
        _failed.discard(report.nodeid)
        from meeting_rooms.dev.pytest_database import start_afresh

        start_afresh()
