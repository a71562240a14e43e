"""Devices over REST: the calls that the token of a device allows, and those it does not allow."""

from uuid import UUID

import pytest

from booking.tests.api_calls import Caller, device
from identity.commands.revoke_device import revoke_device
from identity.models import Device, Role
from identity.queries import actor_of
from identity.tests.factories import person
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return person("Ada", role=Role.ADMIN)


@pytest.fixture
def ann():
    return Caller(person("Ann"))


@pytest.fixture
def den():
    return room("Den")


@pytest.fixture
def door(ada, den):
    return device(ada, den)


def test_walk_up__of_a_device_with_several_rooms__must_name_one(ada, den):
    loft = room("Loft")
    board = device(ada, den, loft)
    refused = board.refused("post", "/devices/me/walk-up", {"minutes": 15})
    assert (refused["code"], set(refused["rooms"])) == (
        "which_room",
        {str(den.uuid), str(loft.uuid)},
    )
    taken = board.post("/devices/me/walk-up", {"minutes": 15, "room": str(loft.uuid)}).json()
    assert taken["room"] == str(loft.uuid)


def test_device__revoked__is_401(ada, door):
    assert door.get("/devices/me").json()["name"] == "Door of Den"
    revoke_device(actor=actor_of(ada), device_id=Device.objects.get().pk)
    assert door.refused("get", "/devices/me")["status"] == 401


def test_device__created_over_rest__returns_its_token_once(ada, den):
    admin = Caller(ada)
    made = admin.post("/devices", {"name": "Door", "rooms": [str(den.uuid)]}).json()
    assert made["secret"].startswith("mrd_")
    assert "secret" not in admin.get("/devices").json()[0]
    assert made["secret"] not in str(Device.objects.values().get())
    own = Caller(token=made["secret"])
    assert own.get("/devices/me").json()["rooms"] == [str(den.uuid)]
    assert admin.call("delete", f"/devices/{made['id']}").status_code == 204
    assert own.refused("get", "/devices/me")["status"] == 401
    assert admin.refused("delete", f"/devices/{made['id']}")["status"] == 404


def test_device__of_an_unknown_room__is_404(ada):
    refused = Caller(ada).refused("post", "/devices", {"name": "x", "rooms": [str(UUID(int=7))]})
    assert refused["status"] == 404


@pytest.mark.parametrize("method,path", [("get", ""), ("post", ""), ("delete", f"/{UUID(int=7)}")])
def test_devices__called_by_staff__are_403(ann, den, method, path):
    body = {"name": "x", "rooms": [str(den.uuid)]} if method == "post" else None
    assert ann.refused(method, f"/devices{path}", body)["status"] == 403


@pytest.mark.parametrize("method,path", [("get", "/devices/me"), ("post", "/devices/me/walk-up")])
def test_own_device__called_by_a_person__is_403(ann, method, path):
    body = {"minutes": 15} if method == "post" else None
    assert ann.refused(method, path, body)["code"] == "only_for_devices"
