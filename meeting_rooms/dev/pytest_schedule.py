"""Distributes the tests of a parallel run: a group of tests with expensive fixtures stays together.

A test without a group goes to the first free process. pytest-xdist has groups by mark, but pytest
9.2 does not let pytest-xdist 3.8 write them into the test's id.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from xdist.scheduler import LoadScopeScheduling

# Beginnings of test ids, by group.
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "browser": (
            "frontend/tests/browser/",
            "meeting_rooms/tests/acceptance/test_booking_page.py",
        ),
        "web process and worker": (
            "meeting_rooms/tests/acceptance/test_bad_input.py",
            "meeting_rooms/tests/acceptance/test_live_acceptance.py::test_key__",
            "meeting_rooms/tests/acceptance/test_live_acceptance.py::test_race__",
            "meeting_rooms/tests/acceptance/test_live_holds.py",
            "meeting_rooms/tests/acceptance/test_lost_rights.py",
        ),
        "web process and worker, busy": (
            "meeting_rooms/tests/test_bodies.py",
            "meeting_rooms/tests/acceptance/test_race_under_load.py",
        ),
        "store outages": ("meeting_rooms/tests/acceptance/test_store_outage_logs.py",),
        "embedded servers": ("meeting_rooms/tests/dev/test_servers_lifecycle.py",),
        "fault rows": ("realtime/tests/faults/test_rows.py",),
    }
)
# The tests of the socket contract run once for each kind of web process.
SOCKET_CONTRACT = re.compile(r"meeting_rooms/tests/acceptance/test_socket_contract\.py::.*\[(\w+)")
# Tests that wait for seconds. They begin first, so that no process is still busy alone at the end.
LONG = (
    "realtime/tests/faults/test_rows.py",
    "meeting_rooms/tests/dev/test_install.py::test_make__index",
    "meeting_rooms/tests/dev/test_pytest_plugin.py::test_broken_tests__",
    "meeting_rooms/tests/acceptance/test_live_acceptance.py::test_sockets__",
    "meeting_rooms/tests/acceptance/test_recovery.py",
    "meeting_rooms/tests/dev/test_run.py",
    "meeting_rooms/tests/acceptance/test_topologies.py",
    "meeting_rooms/tests/acceptance/test_drain.py",
    "meeting_rooms/tests/acceptance/test_sign_in.py::test_rush__",
    "realtime/tests/acceptance/test_convergence.py",
    "rooms/tests/policies/test_policy_migration.py",
    "booking/tests/acceptance/test_stateful_model.py",
)


def group_of(test_id: str) -> str:
    """Return the name of the test's group; the id of the test if it has no group."""
    if contract := SOCKET_CONTRACT.match(test_id):
        return f"socket contract, {contract[1]}"
    return next((name for name, tests in GROUPS.items() if test_id.startswith(tests)), test_id)


def long_first(items: list[pytest.Item]) -> None:
    """Sort the tests of LONG to the front; otherwise keep the order."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


class GroupScheduling(LoadScopeScheduling):
    """Gives each group to one process, the largest groups first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
