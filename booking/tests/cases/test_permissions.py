"""Permissions in every answer of the API; and versions, time zones and early ends by REST.

Cases 18, 71, 86, 93 and 96.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client

from booking.tests.api_calls import Caller, device, future, slot
from identity.models import Role
from identity.tests.factories import person
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.logs import logging_config
from rooms.tests.factories import building, floor, room

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return person("Ada", role=Role.ADMIN)


@pytest.fixture
def ann():
    return Caller(person("Ann"))


@pytest.fixture
def ben():
    return Caller(person("Ben"))


@pytest.fixture
def den():
    return room("Den")


def test_case_018__patch_of_an_old_version__is_412_with_the_difference(ann):
    """An edit made from an old version."""
    booked = ann.book(slot(0), title="Plan")
    path = f"/bookings/{booked['id']}"
    ann.patch(path, {"title": "Theirs"})
    refused = ann.refused("patch", path, {"title": "Mine"}, HTTP_IF_MATCH='"1"')
    assert (refused["status"], refused["code"], refused["version"]) == (412, "stale_version", 2)
    assert refused["changed"]["title"] == {"was": "Plan", "is": "Theirs"}
    assert ann.get(path).json()["title"] == "Theirs"


def test_case_071__conflict_and_day__are_in_the_rooms_zone(ann):
    """A day of a room whose time zone is far from the client's."""
    far = building(timezone="Pacific/Auckland", slug="far")
    place = room("Kea", on=floor(far))
    day = (future(0) + timedelta(days=20)).date()
    found = ann.get(f"/days/{day}", {"building": "far"}).json()["rooms"][0]
    starts = datetime.fromisoformat(found["starts_at"])
    assert found["timezone"] == "Pacific/Auckland"
    # In UTC the day of the room begins on the evening before.
    assert starts.astimezone(UTC).date() == day - timedelta(days=1)
    evening = {
        "starts_at": (starts + timedelta(minutes=30)).isoformat(),
        "ends_at": (starts + timedelta(minutes=90)).isoformat(),
    }
    booked = ann.book(evening, place)
    assert booked["local_start"] == f"{day}T00:30:00"
    [shown] = ann.get(f"/days/{day}", {"building": "far"}).json()["rooms"][0]["bookings"]
    assert shown["id"] == booked["id"]
    before = ann.get(f"/days/{day - timedelta(days=1)}", {"building": "far"}).json()["rooms"][0]
    assert before["bookings"] == []


def running(by: Caller, place) -> dict[str, object]:
    """Return a booking that began one minute ago; its organizer is checked in."""
    now = SYSTEM_CLOCK.now()
    when = {
        "starts_at": (now - timedelta(minutes=1)).isoformat(),
        "ends_at": (now + timedelta(minutes=59)).isoformat(),
    }
    return by.book(when, place)


def test_case_086__rest_of_an_ended_meeting__is_free_and_history_keeps_the_plan(ann, ben, den):
    """A meeting that ends early."""
    booked = running(ann, den)
    planned = booked["ends_at"]
    ended = ann.post(f"/bookings/{booked['id']}/end").json()
    assert datetime.fromisoformat(ended["ends_at"]) < datetime.fromisoformat(planned)
    rest = {"starts_at": SYSTEM_CLOCK.now().isoformat(), "ends_at": planned}
    assert ben.book(rest, den)["state"] == "checked_in"
    history = ann.get(f"/bookings/{booked['id']}/history").json()
    change = history[-1]["changed"]["ends_at"]
    assert [datetime.fromisoformat(change[when]) for when in ("was", "is")] == [
        datetime.fromisoformat(planned),
        datetime.fromisoformat(ended["ends_at"]),
    ]


def test_case_093__private_booking__is_busy_in_every_answer_to_strangers(ann, ben, ada, den):
    """A private meeting, requested by every operation that can show it."""
    series = ann.post(
        "/series",
        {
            "room": str(den.uuid),
            "starts_local": f"{future(4).date()}T12:00",
            "minutes": 30,
            "rule": "FREQ=DAILY;COUNT=2",
            "title": "Merger talks",
            "private": True,
            "attendees": 7,
        },
    ).json()
    booked = series["booked"][0]
    day = {"starts_at": future(-8).isoformat(), "ends_at": future(16).isoformat()}
    answers = [
        ben.get("/bookings", day),
        ben.get(f"/bookings/{booked['id']}"),
        ben.get(f"/bookings/{booked['id']}/history"),
        ben.get(f"/days/{future(4).date()}"),
        ben.get(f"/series/{series['series']}"),
        ben.post("/bookings", {"room": str(den.uuid), **window_of(booked)}),
        ben.post("/bookings", {"room": str(den.uuid), **window_of(booked), "title": "x"}),
        ben.get(f"/rooms/{den.uuid}/availability", day),
        ben.get(f"/rooms/{den.uuid}/closures/affected", day),
        ben.get(f"/rooms/{den.uuid}/check", window_of(booked)),
        device(ada, den).get(f"/days/{future(4).date()}"),
        device(ada, den).get(f"/bookings/{booked['id']}"),
        ben.get(f"/rooms/{den.uuid}/calendar"),
        ben.get("/exports/bookings", {"from": future(4).date(), "to": future(4).date()}),
        Client().get(feed_of(ben, den)),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4 + [404] + [409] * 2 + [200] * 8
    for answer in answers:
        text = answer.content.decode()
        assert "Merger" not in text
        assert "Ann" not in text
    for answer in answers[:4]:
        assert series["series"] not in answer.content.decode()
    assert "Busy" in answers[0].content.decode()
    assert "Busy" in answers[-1].content.decode()
    seen = answers[1].json()
    hidden = {name: seen[name] for name in ("organizer", "attendees", "group", "series", "flags")}
    assert hidden == {
        "organizer": "",
        "attendees": None,
        "group": None,
        "series": None,
        "flags": [],
    }
    for reader in (ann, Caller(ada)):
        assert reader.get(f"/bookings/{booked['id']}").json()["title"] == "Merger talks"


def window_of(booked: dict[str, str]) -> dict[str, str]:
    return {name: booked[name] for name in ("starts_at", "ends_at")}


def feed_of(caller: Caller, place=None) -> str:
    made = caller.post("/feeds", {"room": str(place.uuid)} if place else {})
    assert made.status_code == 201
    return made.json()["url"].removeprefix("http://testserver")


def test_case_096__guessed_id__is_not_found(ann):
    """The guessed id of a booking, a series or a hold."""
    for path in (f"/bookings/{uuid4()}", f"/series/{uuid4()}", f"/bookings/{uuid4()}/history"):
        assert ann.refused("get", path)["status"] == 404
    assert ann.refused("delete", f"/holds/{uuid4()}")["status"] == 404


def test_case_096__feed__is_read_by_its_address_until_it_is_revoked(ann, den):
    """The address of a calendar feed."""
    ann.book(slot(0), den, title="Plan")
    url = feed_of(ann, den)
    answer = Client().get(url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert "SUMMARY:Plan" in answer.content.decode()
    assert "private" in answer["Cache-Control"]
    again = Client().get(url, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    [known] = ann.get("/feeds").json()
    assert ann.call("delete", f"/feeds/{known['id']}").status_code == 204
    assert Client().get(url).status_code == 404
    assert ann.get("/feeds").json() == []


def test_case_096__feed_of_a_person__has_bookings_of_that_person_only(ann, ben, den):
    """The feed of one person."""
    ann.book(slot(0), den, title="Mine", private=True)
    ben.book(slot(1), den, title="Theirs")
    text = Client().get(feed_of(ann)).content.decode()
    assert "SUMMARY:Mine" in text
    assert "Theirs" not in text


@pytest.mark.parametrize("guess", ["x", "mr_" + "a" * 43, "a" * 5000])
def test_case_096__guessed_feed__is_not_found(guess):
    """The guessed address of a feed."""
    assert Client().get(f"/feeds/{guess}.ics").status_code == 404


def test_case_096__feed_of_another_person__cannot_be_revoked(ann, ben, den):
    """The feed of another person."""
    url = feed_of(ann, den)
    [known] = ann.get("/feeds").json()
    assert ben.refused("delete", f"/feeds/{known['id']}")["status"] == 404
    assert Client().get(url).status_code == 200


def test_case_096__secret_of_a_feed__is_in_no_log_line(ann, den):
    """The address of a feed in the logs."""
    url = feed_of(ann, den)
    render = logging_config(level="INFO", as_json=True)["formatters"]["structured"]["processors"][
        -1
    ]
    line = render(None, "info", {"event": "request", "path": url})
    assert url not in line
    assert "/feeds/[secret]" in line
