from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from rooms.models import Room
from rooms.places.mark_rooms_changed import mark_rooms_changed
from rooms.queries import schedule_ages_s
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db


def test_mark__some_rooms__raises_the_version_and_stores_the_instant():
    marked, other = room(), room()
    Room.objects.update(schedule_changed_at=Now() - timedelta(hours=1))
    mark_rooms_changed([marked.pk])
    fresh = Room.objects.filter(schedule_changed_at__gt=Now() - timedelta(minutes=1))
    assert list(fresh) == [marked]
    assert Room.objects.get(pk=marked.pk).schedule_version == 2
    assert Room.objects.get(pk=other.pk).schedule_version == 1


def test_mark__twice_in_one_transaction__stores_a_later_instant():
    marked = room()
    mark_rooms_changed([marked.pk])
    first = Room.objects.get().schedule_changed_at
    mark_rooms_changed([marked.pk])
    assert Room.objects.get().schedule_changed_at > first


def test_ages__of_the_requested_rooms__are_measured_by_the_database_clock():
    old, _ = room(), room()
    Room.objects.filter(pk=old.pk).update(
        schedule_changed_at=F("schedule_changed_at") - timedelta(minutes=2)
    )
    ages = schedule_ages_s([old.uuid])
    assert ages.keys() == {old.uuid}
    assert 120 <= ages[old.uuid] < 180
