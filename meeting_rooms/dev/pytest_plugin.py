"""Pytest plugin: real servers for the test run, started before Django reads its settings.

Each run has a data folder of its own, so runs do not meet; what a killed run left is cleared by the
next one. A server whose URL is in the environment is used instead.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from pymongo import MongoClient

from meeting_rooms.dev import servers
from meeting_rooms.dev.servers import ENVIRONMENT, ServiceName

TEARDOWN, TEARDOWNS = "_fixture_teardown", 3
ROOT = Path(__file__).resolve().parents[2] / ".data"
DATA_DIR = ROOT / f"test-{os.getpid()}"

settings.register_profile("default", max_examples=100)
settings.register_profile("thorough", max_examples=1000, print_blob=True)

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
    """Start the servers, then let pytest-django load the settings."""
    wanted = [name for name in ServiceName if not os.environ.get(ENVIRONMENT[name])]
    servers.reap_orphans(ROOT, report=_quiet)
    started = servers.start(DATA_DIR, wanted=wanted, owner_pid=os.getpid(), report=_quiet)
    os.environ.update(ENVIRONMENT_OF_TESTS, DATA_DIR=str(DATA_DIR))
    os.environ.update({ENVIRONMENT[name]: url for name, url in started.urls.items()})
    if mongodb := started.urls.get(ServiceName.MONGODB):
        _keep_the_past(mongodb)
    try:
        return (yield)
    except BaseException:
        pytest_unconfigure()  # pytest itself does not call it for a run that fails to start
        raise


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what was started, and nothing else."""
    servers.stop(DATA_DIR, report=_quiet)
    shutil.rmtree(DATA_DIR, ignore_errors=True)


def _keep_the_past(mongodb_url: str) -> None:
    """Let nothing expire: tests live in the past, and MongoDB goes by the wall clock."""
    with MongoClient[dict[str, object]](mongodb_url, timeoutMS=10_000) as client:
        client.admin.command({"setParameter": 1, "ttlMonitorEnabled": False})


def _quiet(_line: str) -> None:
    """Say nothing: a failing start raises with the server's own words."""


@pytest.fixture(scope="session", autouse=True)
def _patient_teardown(django_test_environment: None) -> Iterator[None]:  # noqa: ARG001 - settings first
    """Empty the tables again where a server that still runs read them in the other order.

    Postgres ends one side of such a deadlock; when it is the test's, its next try succeeds.
    """
    from django.core.management import CommandError  # settings are loaded only now
    from django.db import OperationalError
    from django.test import TransactionTestCase

    teardown: Callable[[TransactionTestCase], None] = getattr(TransactionTestCase, TEARDOWN)

    def patiently(case: TransactionTestCase) -> None:
        for tries_left in reversed(range(TEARDOWNS)):
            try:
                teardown(case)
            except CommandError as exc:
                if not tries_left or not isinstance(exc.__cause__, OperationalError):
                    raise
            else:
                return

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, TEARDOWN, patiently)
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files(django_test_environment: None) -> None:  # noqa: ARG001 - settings first
    """Collect static files, so that pages are rendered with the storage of production."""
    from django.core.management import call_command  # settings are loaded only now

    call_command("collectstatic", interactive=False, verbosity=0)
