"""Devices over REST: what a token of a door opens, and that it opens nothing else."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from booking.models import AuditEntry, Booking
from booking.tests.api_calls import Caller, future, slot
from identity.models import Device, Role
from identity.selectors import actor_of
from identity.services.issue_device import issue_device
from identity.services.revoke_device import revoke_device
from identity.tests.factories import person
from meeting_rooms.api import api
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db
FOR_DEVICES = {
    "show_booking",
    "check_in",
    "end_booking",
    "show_availability",
    "show_day",
    "show_own_device",
    "take_walk_up",
}
OPERATIONS = {
    operation["operationId"]: (method, path)
    for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items()
    for method, operation in methods.items()
}


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


def device(ada, *rooms, name="Door of Den") -> Caller:
    issued = issue_device(actor=actor_of(ada), name=name, rooms=[one.uuid for one in rooms])
    return Caller(token=issued.secret)


def address(path: str, **known: object) -> str:
    filled = re.sub(r"\{(\w+)\}", lambda m: str(known.get(m[1], UUID(int=4))), path)
    return filled.removeprefix("/api/v1").replace("//", "/")


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - FOR_DEVICES))
def test_case_094__a_device__may_not_use_what_is_for_people(door, name):
    """A device's token at every operation."""
    method, path = OPERATIONS[name]
    refused = door.refused(method, address(path), None if method == "get" else {})
    assert (refused["status"], refused["code"]) == (403, "not_for_devices")


@pytest.mark.parametrize(
    "name", ["show_booking", "check_in", "end_booking", "show_availability", "take_walk_up"]
)
def test_case_094__a_device__does_not_know_other_rooms(door, ann, name):
    """A device's token at the door next to its own."""
    other = room("Loft")
    booked = ann.book(slot(0), other)
    method, path = OPERATIONS[name]
    query = {**slot(0)} if name == "show_availability" else None
    body = {"minutes": 15, "room": str(other.uuid)} if name == "take_walk_up" else query
    known = {"booking_id": booked["id"], "room_id": other.uuid}
    assert door.refused(method, address(path, **known), body)["status"] == 404
    assert Booking.objects.get().state == "confirmed"


def test_case_094__the_day_of_a_device__is_that_of_its_rooms(door, den, ann):
    """A device reads the day."""
    ann.book(slot(0), den, title="Plan")
    ann.book(slot(0), room("Loft"), title="Other")
    ann.book(slot(2), den, title="Secret", private=True)
    found = door.get(f"/days/{future(0).date()}").json()["rooms"]
    assert [one["name"] for one in found] == ["Den"]
    told = [(one["title"], one["organizer"]) for one in found[0]["bookings"]]
    assert told == [("Plan", "Ann"), ("Busy", "")]


def test_case_094__a_device__checks_in_at_its_door(door, den, ann):
    """A device checks somebody in."""
    now = SYSTEM_CLOCK.now().astimezone(UTC)
    soon = now + timedelta(minutes=5)
    ends = soon + timedelta(minutes=30)
    booked = ann.book({"starts_at": soon.isoformat(), "ends_at": ends.isoformat()}, den)
    assert door.post(f"/bookings/{booked['id']}/check-in").json()["state"] == "checked_in"
    entry = AuditEntry.objects.get(command="check_in")
    assert (entry.actor_kind, entry.actor_name, entry.actor_user_id) == (
        "device",
        "Door of Den",
        None,
    )
    # Leaving early is up to who booked it.
    refused = door.refused("post", f"/bookings/{booked['id']}/end")
    assert (refused["status"], refused["code"]) == (403, "not_for_devices")


def test_case_094__a_walk_up__is_nobodys_and_begins_now(door, den, ann):
    """A device takes a walk-up."""
    answer = door.post("/devices/me/walk-up", {"minutes": 15})
    assert answer.status_code == 201
    taken = answer.json()
    assert (taken["state"], taken["organizer"], taken["flags"]) == (
        "checked_in",
        "Door of Den",
        ["walk_up"],
    )
    starts, ends = (datetime.fromisoformat(taken[name]) for name in ("starts_at", "ends_at"))
    assert ends - starts == timedelta(minutes=15)
    assert abs(SYSTEM_CLOCK.now() - starts) < timedelta(minutes=1)
    assert Booking.objects.get().organizer_id is None
    assert door.refused("post", "/devices/me/walk-up", {"minutes": 15})["code"] == "slot_taken"
    assert ann.refused("post", f"/bookings/{taken['id']}/end")["status"] == 403
    assert door.post(f"/bookings/{taken['id']}/end").status_code == 200


@pytest.mark.parametrize("member", [{"organizer": "Ann"}, {"starts_at": "2036-03-01T09:00:00Z"}])
def test_case_094__a_walk_up__is_never_in_anybodys_name_nor_at_another_time(door, member):
    """A device books for a named person."""
    refused = door.refused("post", "/devices/me/walk-up", {"minutes": 15, **member})
    assert (refused["status"], refused["code"]) == (422, "invalid")


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


def test_device__revoked__opens_nothing(ada, door):
    assert door.get("/devices/me").json()["name"] == "Door of Den"
    revoke_device(actor=actor_of(ada), device_id=Device.objects.get().pk)
    assert door.refused("get", "/devices/me")["status"] == 401


def test_device__made_over_rest__shows_its_token_once(ada, den):
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


def test_device__of_a_room_that_is_not__is_404(ada):
    refused = Caller(ada).refused("post", "/devices", {"name": "x", "rooms": [str(UUID(int=7))]})
    assert refused["status"] == 404


@pytest.mark.parametrize("method,path", [("get", ""), ("post", ""), ("delete", f"/{UUID(int=7)}")])
def test_devices__of_staff__are_403(ann, den, method, path):
    body = {"name": "x", "rooms": [str(den.uuid)]} if method == "post" else None
    assert ann.refused(method, f"/devices{path}", body)["status"] == 403


@pytest.mark.parametrize("method,path", [("get", "/devices/me"), ("post", "/devices/me/walk-up")])
def test_own_device__of_a_person__is_403(ann, method, path):
    body = {"minutes": 15} if method == "post" else None
    assert ann.refused(method, path, body)["code"] == "only_for_devices"
