"""Concurrent changes of one policy."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.errors import OutdatedCommandError
from rooms.domain.policy_document import PolicyDocument
from rooms.models import Policy, PolicyChange
from rooms.policies.set_policy import set_policy
from rooms.policies.store import CAMPUS, document_of

pytestmark = pytest.mark.django_db(transaction=True)
ADMINS = 8


def run_concurrently(command: Callable[[int], object]) -> list[object]:
    start = Barrier(ADMINS)

    def run(number: int) -> object:
        start.wait(10)
        try:
            return command(number)
        except OutdatedCommandError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(ADMINS) as threads:
        return list(threads.map(run, range(1, ADMINS + 1)))


def set_gap(admin, minutes, expected):
    changes = PolicyDocument(gap_minutes=minutes)
    return set_policy(actor=admin, scope=CAMPUS, changes=changes, expected=expected)


def test_set__concurrent_with_the_read_etag__one_wins_and_the_others_are_refused():
    admin, read = actor(role=Role.ADMIN), document_of(CAMPUS).fingerprint()
    outcomes = run_concurrently(lambda number: set_gap(admin, number, read))
    refused = [one for one in outcomes if isinstance(one, OutdatedCommandError)]
    [done] = [one for one in outcomes if one not in refused]
    assert len(refused) == ADMINS - 1
    assert Policy.objects.get().gap_minutes == done.gap_minutes
    assert {refusal.facts["etag"] for refusal in refused} == {done.fingerprint()}
    assert PolicyChange.objects.count() == 1


def test_negative_control__without_the_read_etag__the_last_one_overwrites_all():
    admin = actor(role=Role.ADMIN)
    run_concurrently(lambda number: set_gap(admin, number, None))
    assert Policy.objects.count() == 1
    changes = list(PolicyChange.objects.all())
    assert len(changes) == ADMINS
    assert changes[0].after == {"gap_minutes": Policy.objects.get().gap_minutes}
