"""The test run itself: a broken test does not affect others, and groups name existing tests."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from meeting_rooms.dev.pytest_schedule import GROUPS, LONG, group_of

ROOT = Path(__file__).resolve().parents[3]
TIMEOUT_S = 50

BROKEN = '''
import threading
import time

import pytest
from django.db import connection, transaction

from booking.models import AuditEntry
from booking.tests.factories import book, hours
from rooms.models import Room
from rooms.tests.factories import room


def interrupt():
    """Leave a question to Postgres unanswered, as a time-out does."""
    connection.ensure_connection()
    connection.connection.pgconn.send_query(b"SELECT pg_sleep(0.1)")
    raise RuntimeError("interrupted")


class SlowToReportError(Exception):
    def __str__(self):
        time.sleep(0.6)
        return "slow"


@pytest.mark.timeout(0.5)
def test_0_out_of_time_while_its_report_is_written():
    raise SlowToReportError


@pytest.mark.django_db
def test_1_interrupted_in_a_transaction():
    interrupt()


@pytest.mark.django_db(transaction=True)
def test_2_interrupted():
    interrupt()


@pytest.mark.django_db(transaction=True)
def test_3_leaves_a_transaction_open():
    kept = room()
    held = threading.Thread(target=hold, args=[kept.pk])
    held.start()
    held.join()


leaked = []


def hold(pk):
    atomic = transaction.atomic()
    atomic.__enter__()
    Room.objects.select_for_update().get(pk=pk)
    leaked.append((atomic, connection.connection))


@pytest.mark.django_db(transaction=True)
def test_4_commits():
    book(room(), hours(11, 12))
    assert AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_5_finds_nothing_and_commits():
    assert not Room.objects.exists()
    assert not AuditEntry.objects.exists()
    room()


@pytest.mark.django_db
def test_6_finds_nothing():
    assert not Room.objects.exists()
'''


def test_broken_tests__fail_and_leave_nothing_to_the_others(tmp_path: Path):
    (tmp_path / "test_broken.py").write_text(BROKEN)
    passed_on = {n: v for n, v in os.environ.items() if not n.startswith(("PYTEST_", "DATA_DIR"))}
    database = urlsplit(settings.DATABASE_URL)._replace(path=f"/broken_{os.getpid()}").geturl()
    run = subprocess.run(
        [sys.executable, "-m", "pytest", str(tmp_path), "-c", str(ROOT / "pyproject.toml"),
         "-p", "no:randomly", "-p", "no:cacheprovider", "--tb=line"],
        cwd=ROOT, env={**passed_on, "DATABASE_URL": database},
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    failed = set(re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)", run.stdout, re.MULTILINE))
    assert failed == {
        "test_0_out_of_time_while_its_report_is_written",
        "test_1_interrupted_in_a_transaction",
        "test_2_interrupted",
        "test_3_leaves_a_transaction_open",
    }, run.stdout
    assert re.search(r"\b4 passed\b", run.stdout), run.stdout
    assert "the test left transactions open" in run.stdout


@pytest.mark.parametrize("test", [*LONG, *(test for tests in GROUPS.values() for test in tests)])
def test_group__each_test_of_it__exists(test: str):
    path, _, name = test.partition("::")
    assert (ROOT / path).exists()
    assert not name or f"def {name}" in (ROOT / path).read_text()


def test_group__of_a_test__is_the_group_of_its_kind():
    contract = "meeting_rooms/tests/acceptance/test_socket_contract.py::test_hello__first"
    assert group_of(f"{contract}[asgi]") == group_of(f"{contract}s[asgi-1]")
    assert group_of(f"{contract}[asgi]") != group_of(f"{contract}[direct]")
    assert group_of("frontend/tests/browser/test_seen.py::test_a") == "browser"
    assert (
        group_of("booking/tests/transaction/test_parts_of_a_booking.py::test_a")
        == "booking/tests/transaction/test_parts_of_a_booking.py::test_a"
    )
