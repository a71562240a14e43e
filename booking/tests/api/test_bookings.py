"""Bookings over REST: several rooms, versions, history, and what other people may read."""

from datetime import timedelta

import pytest
from django.test import Client

from booking.models import Booking
from booking.tests.api_calls import Caller, future, slot
from identity.models import Role
from identity.tests.factories import person
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return Caller(person("Ann"))


@pytest.fixture
def ben():
    return Caller(person("Ben"))


@pytest.fixture
def admin():
    return Caller(person("Ada", role=Role.ADMIN))


def test_post__one_room__returns_the_booking_with_its_version_as_etag(ann):
    answer = ann.post("/bookings", {"room": str(room().uuid), **slot(0), "title": "Plan"})
    assert answer.status_code == 201
    booked = answer.json()
    assert (booked["title"], booked["organizer"], booked["parts"]) == ("Plan", "Ann", [])
    assert (booked["version"], answer["ETag"]) == (1, '"1"')


def test_post__several_rooms__returns_one_booking_in_parts(ann):
    rooms = [str(room().uuid) for _ in range(3)]
    booked = ann.post("/bookings", {"rooms": rooms, **slot(0)}).json()
    assert [booked["room"], *(part["room"] for part in booked["parts"])] == rooms
    assert {booked["group"], *(part["group"] for part in booked["parts"])} == {booked["group"]}
    assert booked["group"] is not None


def test_post__several_rooms_one_taken__stores_nothing_and_names_the_taken_room(ann, ben):
    free, taken = room("Free"), room("Taken")
    ben.post("/bookings", {"room": str(taken.uuid), **slot(0)})
    refused = ann.refused(
        "post", "/bookings", {"rooms": [str(free.uuid), str(taken.uuid)], **slot(0)}
    )
    assert (refused["status"], refused["code"]) == (409, "slot_taken")
    assert (refused["room"], refused["taken"][0]["starts_at"]) == (
        str(taken.uuid),
        future(0).isoformat(),
    )
    assert Booking.objects.count() == 1
    assert {one["room"] for one in refused["alternatives"]} >= {str(taken.uuid)}


@pytest.mark.parametrize("body", [{}, {"room": "x", "rooms": []}])
def test_post__no_room_or_both__is_422(ann, body):
    assert ann.refused("post", "/bookings", {**body, **slot(0)})["code"] == "invalid"


def test_post__same_key_twice__books_once_and_returns_the_same(ann):
    body = {"room": str(room().uuid), **slot(0)}
    answers = [ann.post("/bookings", body, HTTP_IDEMPOTENCY_KEY="k1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    other = ann.refused("post", "/bookings", {**body, "title": "x"}, HTTP_IDEMPOTENCY_KEY="k1")
    assert (other["status"], other["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "start,code",
    [
        ("1969-12-31T23:59:59Z", "invalid_time"),
        ("2101-01-01T00:00:00Z", "invalid_time"),
        ("2036-02-30T00:00:00Z", "invalid_time"),
        ("2036-03-01T09:00:00", "time_without_zone"),
        ("2036-03-01", "invalid"),
        (2_087_629_200, "invalid"),
    ],
)
def test_post__invalid_time__is_422(ann, start, code):
    body = {"room": str(room().uuid), "starts_at": start, "ends_at": "2036-03-01T10:00:00Z"}
    assert ann.refused("post", "/bookings", body)["code"] == code


def test_patch__if_match_of_the_current_version__changes_the_booking(ann):
    booked = ann.book(slot(0), title="Plan")
    answer = ann.patch(f"/bookings/{booked['id']}", {"title": "New"}, HTTP_IF_MATCH='"1"')
    assert (answer.status_code, answer.json()["title"], answer["ETag"]) == (200, "New", '"2"')


def test_patch__without_if_match__stores_the_last_change(ann):
    path = f"/bookings/{ann.book(slot(0))['id']}"
    assert ann.patch(path, {"title": "a"}).status_code == 200
    assert ann.patch(path, {"title": "b"}).json()["title"] == "b"


@pytest.mark.parametrize("tag", ["1", 'W/"1"', '"x"', '"1", "2"'])
def test_patch__malformed_if_match__is_422(ann, tag):
    path = f"/bookings/{ann.book(slot(0))['id']}"
    assert ann.refused("patch", path, {}, HTTP_IF_MATCH=tag)["code"] == "bad_if_match"


def test_patch__end_only__keeps_the_start(ann):
    booked = ann.book(slot(0))
    later = (future(0) + timedelta(hours=2)).isoformat()
    changed = ann.patch(f"/bookings/{booked['id']}", {"ends_at": later}).json()
    assert (changed["starts_at"], changed["ends_at"][:16]) == (booked["starts_at"], later[:16])


def test_patch__booking_of_another_person__is_403(ann, ben):
    path = f"/bookings/{ann.book(slot(0))['id']}"
    assert ben.refused("patch", path, {"title": "x"})["status"] == 403


def test_cancel__then_restore__makes_the_booking_confirmed_again(ann):
    path = f"/bookings/{ann.book(slot(0))['id']}"
    assert ann.post(f"{path}/cancel", {"reason": "ill"}).json()["state"] == "cancelled"
    assert ann.post(f"{path}/restore").json()["state"] == "confirmed"
    history = ann.get(f"{path}/history").json()
    assert [entry["command"] for entry in history] == [
        "book_room",
        "cancel_booking",
        "restore_booking",
    ]
    assert (history[1]["actor"], history[1]["reason"]) == ("Ann", "ill")
    assert history[1]["changed"]["state"] == {"was": "confirmed", "is": "cancelled"}


def test_extend__next_booking_too_close__reports_the_possible_minutes(ann, ben):
    place = room()
    booked = ann.book(slot(0), place)
    at = future(1) + timedelta(minutes=20)
    ends = at + timedelta(hours=1)
    ben.book({"starts_at": at.isoformat(), "ends_at": ends.isoformat()}, place)
    refused = ann.refused("post", f"/bookings/{booked['id']}/extend", {"minutes": 30})
    assert (refused["code"], refused["possible_minutes"]) == ("slot_taken", 20)
    longer = ann.post(f"/bookings/{booked['id']}/extend", {"minutes": 20})
    assert longer.json()["ends_at"][:16] == at.isoformat()[:16]


def test_swap__two_own_bookings__exchange_their_rooms(ann):
    one, other = ann.book(slot(0)), ann.book(slot(0))
    swapped = ann.post(f"/bookings/{one['id']}/swap", {"other": other["id"]}).json()
    assert swapped["booking"]["room"] == other["room"]
    assert swapped["other"]["room"] == one["room"]
    refused = ann.refused("post", f"/bookings/{one['id']}/swap", {"other": one["id"]})
    assert refused["code"] == "same_booking"


def test_list__pages__do_not_repeat_each_other(ann):
    ids = {ann.book(slot(number % 3))["id"] for number in range(7)}
    query = {"starts_at": future(0).isoformat(), "ends_at": future(5).isoformat(), "limit": 3}
    pages = [ann.get("/bookings", {**query, "offset": n}).json() for n in (0, 3, 6)]
    found = [one["id"] for page in pages for one in page["items"]]
    assert (len(found), set(found), pages[0]["count"]) == (7, ids, 7)


def test_list__mine__leaves_out_bookings_of_other_people(ann, ben):
    own = ann.book(slot(0))
    ben.book(slot(0))
    query = {"starts_at": future(0).isoformat(), "ends_at": future(5).isoformat(), "mine": True}
    assert [one["id"] for one in ann.get("/bookings", query).json()["items"]] == [own["id"]]


def test_history__of_a_formerly_private_booking__hides_names_and_titles(ann, ben, admin):
    booked = ann.book(slot(0), title="Merger", private=True)
    path = f"/bookings/{booked['id']}"
    ann.patch(path, {"private": False, "title": "Open day"})
    response = ben.get(f"{path}/history")
    assert "Merger" not in response.content.decode()
    assert [entry["actor"] for entry in response.json()] == ["", ""]
    assert "Merger" in admin.get(f"{path}/history").content.decode()


def test_openapi_document__without_sign_in__is_readable():
    assert Client().get("/api/v1/openapi.json").status_code == 200
