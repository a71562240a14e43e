"""No operation ignores a query parameter: a misspelt filter must not return all rows."""

import re

import pytest
from django.test import Client

from booking.exchange.feeds import issue_feed
from booking.tests.api_calls import Caller
from identity.models import Role
from identity.tests.factories import person
from meeting_rooms.api import api

pytestmark = pytest.mark.django_db
UNKNOWN = "00000000-0000-4000-8000-000000000000"
DOCUMENT = api.get_openapi_schema(path_prefix="/api/v1/")
OPERATIONS = [
    (method, path.removeprefix("/api/v1"), operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def declared(operation):
    return sorted(p["name"] for p in operation.get("parameters", ()) if p["in"] == "query")


@pytest.fixture
def admin():
    return Caller(person("Ada", Role.ADMIN))


@pytest.mark.parametrize(
    "method,path,operation", OPERATIONS, ids=[o["operationId"] for *_, o in OPERATIONS]
)
def test_operation__unknown_parameter__is_refused_with_unknown_and_known_names(
    admin, method, path, operation
):
    address = re.sub(r"\{[^}]*\}", UNKNOWN, path)
    problem = admin.refused(method, f"{address}?colour=red&limit_=5")
    assert (problem["status"], problem["code"]) == (422, "invalid")
    assert problem["unknown"] == ["colour", "limit_"]
    assert problem["known"] == declared(operation)
    assert [error["at"] for error in problem["errors"]] == ["query.colour", "query.limit_"]
    assert all(name in problem["detail"] for name in ("colour", *declared(operation)))


@pytest.mark.parametrize("operation", [o for *_, o in OPERATIONS], ids=lambda o: o["operationId"])
def test_document__each_operation__contains_the_refusal(operation):
    assert "application/problem+json" in operation["responses"]["422"]["content"]


def test_export__misspelt_filter__does_not_return_all_rooms(admin):
    days = "from=2036-03-01&to=2036-03-02"
    assert admin.get(f"/exports/bookings?{days}").status_code == 200
    problem = admin.refused("get", f"/exports/bookings?{days}&room={UNKNOWN}")
    assert problem["unknown"] == ["room"]
    assert problem["known"] == ["building", "from", "to"]


def test_operation__unknown_parameter_and_no_sign_in__is_401():
    assert Client().get("/api/v1/rooms?colour=red").status_code == 401


def test_feed__takes_no_parameters():
    secret = issue_feed(user=person(), room=None).secret
    assert Client().get(f"/feeds/{secret}.ics").status_code == 200
    refused = Client().get(f"/feeds/{secret}.ics?room={UNKNOWN}")
    assert refused.status_code == 422
    assert "query.room" in refused.content.decode()
