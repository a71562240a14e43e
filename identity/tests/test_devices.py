from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from identity.commands.authenticate_device import authenticate_device
from identity.commands.issue_device import MAX_ROOMS, issue_device
from identity.commands.revoke_device import revoke_device
from identity.models import Device, Role
from identity.queries import actor_of_device
from identity.tests.factories import actor
from meeting_rooms.kernel.actor import ActorKind
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import (
    InvalidCommandError,
    NotFoundError,
    PermissionDeniedError,
)

pytestmark = pytest.mark.django_db
CLOCK = FixedClock(datetime(2026, 3, 12, 10, tzinfo=UTC))


def issued(rooms=None, name="Door"):
    admin = actor(role=Role.ADMIN)
    return issue_device(actor=admin, name=name, rooms=rooms or [uuid4()], clock=CLOCK)


def test_device__issued__is_authenticated_by_its_token_and_is_no_person():
    rooms = [uuid4(), uuid4()]
    one = issued(rooms)
    device = authenticate_device(secret=one.secret, clock=CLOCK)
    who = actor_of_device(device)
    assert (who.kind, who.name, who.user_id, who.is_admin) == (
        ActorKind.DEVICE,
        "Door",
        None,
        False,
    )
    assert who.rooms == frozenset(rooms)
    assert [who.reaches(room) for room in (*rooms, uuid4())] == [True, True, False]
    row = Device.objects.values().get()
    assert one.secret not in str(row)
    assert row["last_used_at"] == CLOCK.now()


def test_device__used_again_within_a_minute__writes_nothing(django_assert_num_queries):
    one = issued()
    authenticate_device(secret=one.secret, clock=CLOCK)
    with django_assert_num_queries(1):
        authenticate_device(secret=one.secret, clock=CLOCK)
    later = FixedClock(CLOCK.now() + timedelta(minutes=2))
    authenticate_device(secret=one.secret, clock=later)
    assert Device.objects.get().last_used_at == later.now()


def test_device__revoked__is_not_authenticated_and_cannot_be_revoked_again():
    one, admin = issued(), actor(role=Role.ADMIN)
    revoke_device(actor=admin, device_id=one.record.pk, clock=CLOCK)
    assert authenticate_device(secret=one.secret, clock=CLOCK) is None
    with pytest.raises(NotFoundError):
        revoke_device(actor=admin, device_id=one.record.pk, clock=CLOCK)


def test_device__issued_or_revoked_by_staff__is_refused():
    with pytest.raises(PermissionDeniedError):
        issue_device(actor=actor(), name="Door", rooms=[uuid4()], clock=CLOCK)
    with pytest.raises(PermissionDeniedError):
        revoke_device(actor=actor(), device_id=issued().record.pk, clock=CLOCK)


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb"])
def test_device__invalid_name__is_refused(name):
    with pytest.raises(InvalidCommandError, match="Name the device"):
        issued(name=name)


@pytest.mark.parametrize("count", [0, MAX_ROOMS + 1])
def test_device__too_few_or_many_rooms__is_refused(count):
    with pytest.raises(InvalidCommandError, match="different rooms"):
        issue_device(
            actor=actor(role=Role.ADMIN), name="Door", rooms=[uuid4() for _ in range(count)]
        )
