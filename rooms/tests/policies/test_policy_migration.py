"""The migration moves the hours of rooms into the rooms' policies; its reverse moves them back."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from rooms.models import Policy
from rooms.policies.cache import current_room_policies
from rooms.tests.factories import every_day, policy, room

BEFORE = [("rooms", "0003_rules_version_and_divisions")]


def migrate(targets):
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


@pytest.fixture
def latest():
    targets = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield targets
    migrate(targets)


@pytest.mark.django_db(transaction=True)
def test_migration__reversed_and_repeated__keeps_the_hours_of_rooms(latest):
    dogger, other = room(), room()
    policy(dogger, hours={1: [("08:00", "12:00"), ("13:00", "17:00")], 2: [("09:00", "00:00")]})
    policy(hours=every_day("07:00", "20:00"))
    old = migrate(BEFORE).get_model("rooms", "OpeningHours")
    rows = old.objects.order_by("weekday").values_list("room_id", "weekday", "opens", "closes")
    assert [(*row[:2], f"{row[2]:%H:%M}", f"{row[3]:%H:%M}") for row in rows] == [
        (dogger.pk, 1, "08:00", "12:00"),
        (dogger.pk, 2, "09:00", "00:00"),
    ]
    migrate(latest)
    assert [stored.room for stored in Policy.objects.all()] == [dogger]
    one, two = current_room_policies([dogger.uuid, other.uuid])
    assert (sorted(one.policy.hours), two.policy.hours) == ([1, 2], {})
