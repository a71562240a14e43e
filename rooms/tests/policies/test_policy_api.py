import json

import pytest

from identity.models import Role
from identity.tests.factories import bearer, person
from rooms.tests.factories import every_day, policy, room

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return bearer(person(role=Role.ADMIN))


def patch(client, path, body, headers):
    return client.patch(
        f"/api/v1/policies/{path}", json.dumps(body), content_type="application/json",
        headers=headers,
    )  # fmt: skip


def test_rules__of_a_room__name_their_sources(client):
    dogger = room()
    policy(gap_minutes=15)
    headers = bearer(person())
    answer = client.get(f"/api/v1/rooms/{dogger.uuid}/policy?rule=gap_minutes", headers=headers)
    assert answer.json()["rules"] == [
        {"rule": "gap_minutes", "value": 15, "source": "campus",
         "sentence": "The room stays free for 15 minutes between two bookings."}
    ]  # fmt: skip
    everything = client.get(f"/api/v1/rooms/{dogger.uuid}/policy", headers=headers).json()
    assert len(everything["rules"]) == 30
    assert (
        client.get(f"/api/v1/rooms/{dogger.uuid}/policy?rule=colour", headers=headers).status_code
        == 404
    )


def test_hours__of_a_room__are_those_of_its_effective_policy(client):
    dogger = room()
    policy(dogger.floor.building, hours=every_day("08:00", "18:00"))
    shown = client.get(f"/api/v1/rooms/{dogger.uuid}", headers=bearer(person())).json()
    assert shown["opening_hours"][6] == {"weekday": 6, "opens": "08:00:00", "closes": "18:00:00"}


@pytest.mark.parametrize("scope", ["campus", "building", "room"])
def test_policy__set_in_each_scope__is_read_with_a_new_etag(client, admin, scope):
    dogger = room()
    path = {"campus": "campus", "building": f"buildings/{dogger.floor.building.slug}",
            "room": f"rooms/{dogger.uuid}"}[scope]  # fmt: skip
    first = client.get(f"/api/v1/policies/{path}", headers=admin)
    assert first.json()["gap_minutes"] is None
    done = patch(client, path, {"gap_minutes": 15}, {**admin, "If-Match": first["ETag"]})
    assert (done.status_code, done.json()["gap_minutes"]) == (200, 15)
    again = client.get(f"/api/v1/policies/{path}", headers=admin)
    assert again["ETag"] == done["ETag"] != first["ETag"]
    stale = patch(client, path, {"gap_minutes": 20}, {**admin, "If-Match": first["ETag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_policy")
    assert stale.json()["etag"] in done["ETag"]


@pytest.mark.parametrize(
    "body",
    [
        {"gap_minutes": -1},
        {"colour": "red"},
        {"hours": [{"weekday": 7, "opens": "08:00", "closes": "09:00"}]},
        {"hours": [{"weekday": 0, "opens": "09:00", "closes": "08:00"}]},
        {"hours": [{"weekday": 0, "opens": "09:00", "closes": "09:00"}]},
        {"hours": [{"weekday": 0, "opens": "09:00+02:00", "closes": "10:00+02:00"}]},
        {"hours": [{"weekday": 0, "opens": "09:00:30", "closes": "10:00"}]},
        {"exceptions": [{"first_date": "2026-12-24", "last_date": "2026-12-23", "reason": "x"}]},
        {"quotas": [{"period": "day"}]},
        {"min_minutes": 60, "max_minutes": 30},
    ],
)
def test_policy__invalid_values__are_refused(client, admin, body):
    assert patch(client, "campus", body, admin).status_code == 422


def test_policy__requested_by_staff__can_be_neither_read_nor_set(client):
    staff = bearer(person())
    assert client.get("/api/v1/policies/campus", headers=staff).status_code == 403
    assert patch(client, "campus", {"gap_minutes": 1}, staff).status_code == 403
    assert client.get("/api/v1/policies/buildings/nowhere", headers=staff).status_code == 404
