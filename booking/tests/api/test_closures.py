"""Closing a room over REST, with bookings that the closure affects."""

import pytest

from booking.tests.api_calls import Caller, slot
from identity.models import Role
from identity.tests.factories import person
from rooms.models import Closure
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db


def test_close__over_bookings__lists_them_and_takes_one_action_for_the_others():
    ada, den = Caller(person("Ada", role=Role.ADMIN)), room()
    first, second = ada.book(slot(3), den), ada.book(slot(4), den)
    path = f"/rooms/{den.uuid}/closures"
    affected = ada.get(f"{path}/affected", slot(3, 2)).json()
    assert affected["count"] == 2
    assert [one["id"] for one in affected["bookings"]] == [first["id"], second["id"]]
    refused = ada.refused("post", path, {**slot(3, 2), "reason": "Paint"})
    assert (refused["code"], refused["count"]) == ("bookings_affected", 2)
    actions = [{"booking": first["id"], "fate": "keep"}]
    closed = ada.post(path, {**slot(3, 2), "reason": "Paint", "fates": actions, "others": "cancel"})
    assert closed.status_code == 201
    assert closed.json()["changed_count"] == 1
    [changed] = closed.json()["changed"]
    assert (changed["id"], changed["state"]) == (second["id"], "cancelled")


def test_close__unknown_action__is_refused_and_closes_nothing():
    ada, den = Caller(person("Ada", role=Role.ADMIN)), room()
    body = {**slot(3), "reason": "Paint", "others": "move"}
    assert ada.post(f"/rooms/{den.uuid}/closures", body).status_code == 422
    assert not Closure.objects.exists()
