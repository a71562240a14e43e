"""Case 94: the operations that the token of a door device allows, and no others."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.test import Client

from booking.models import AuditEntry, Booking
from booking.tests.api_calls import Caller, device, future, slot
from identity.models import Role
from identity.tests.factories import person
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
    for path, methods in Client().get("/api/v1/openapi.json").json()["paths"].items()
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


def address(path: str, **known: object) -> str:
    filled = re.sub(r"\{(\w+)\}", lambda m: str(known.get(m[1], UUID(int=4))), path)
    return filled.removeprefix("/api/v1")


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - FOR_DEVICES))
def test_case_094__device__may_not_use_operations_for_people(door, name):
    """A device's token at every operation that is not for devices."""
    method, path = OPERATIONS[name]
    refused = door.refused(method, address(path), None if method == "get" else {})
    assert (refused["status"], refused["code"]) == (403, "not_for_devices")


@pytest.mark.parametrize(
    "name", ["show_booking", "check_in", "end_booking", "show_availability", "take_walk_up"]
)
def test_case_094__device__finds_no_other_rooms(door, ann, name):
    """A device's token used for another room."""
    other = room("Loft")
    booked = ann.book(slot(0), other)
    method, path = OPERATIONS[name]
    query = {**slot(0)} if name == "show_availability" else None
    body = {"minutes": 15, "room": str(other.uuid)} if name == "take_walk_up" else query
    known = {"booking_id": booked["id"], "room_id": other.uuid}
    assert door.refused(method, address(path, **known), body)["status"] == 404
    assert Booking.objects.get().state == "confirmed"


def test_case_094__day_of_a_device__shows_its_rooms_only(door, den, ann):
    """A device reads the day."""
    ann.book(slot(0), den, title="Plan")
    ann.book(slot(0), room("Loft"), title="Other")
    ann.book(slot(2), den, title="Secret", private=True)
    found = door.get(f"/days/{future(0).date()}").json()["rooms"]
    assert [one["name"] for one in found] == ["Den"]
    shown = [(one["title"], one["organizer"]) for one in found[0]["bookings"]]
    assert shown == [("Plan", ""), ("Busy", "")]  # the same as on a board: no names of people


def test_case_094__device__checks_in_a_booking_of_its_room(door, den, ann):
    """A device checks in a booking."""
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
    # Only the organizer may end the booking early.
    refused = door.refused("post", f"/bookings/{booked['id']}/end")
    assert (refused["status"], refused["code"]) == (403, "not_for_devices")


def test_case_094__walk_up__has_no_organizer_and_begins_now(door, den, ann):
    """A device books a walk-up."""
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
def test_case_094__walk_up_with_a_name_or_another_time__is_refused(door, member):
    """A walk-up that names an organizer or a start."""
    refused = door.refused("post", "/devices/me/walk-up", {"minutes": 15, **member})
    assert (refused["status"], refused["code"]) == (422, "invalid")
