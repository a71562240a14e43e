"""Imports over REST: files, addresses and entries that are refused before anything is stored."""

from dataclasses import replace

import pytest

from booking.api import imports
from booking.models import Booking
from booking.tests.api.import_calls import HEAD, Importer, counts, event, refusal, report_of, row
from booking.tests.exchange.test_fetch_url import NAME, policy, server  # noqa: F401 - fixtures
from identity.models import Role
from identity.tests.factories import person
from rooms.models import Room
from rooms.tests.factories import building, floor, room

pytestmark = pytest.mark.django_db
GARBAGE = [
    b"",
    b"\x00",
    b"hello",
    b"\xff\xfe\x00\x01",
    b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    b"PK\x03\x04" + b"\x00" * 100,
    b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTST",
    b'"' * 1001,
    b"[" * 100_000,
]


@pytest.fixture
def dogger(db) -> Room:
    return room("Dogger", on=floor(building(slug="hq", timezone="Europe/Helsinki")))


@pytest.fixture
def admin(dogger) -> Importer:
    return Importer(person("Ada", role=Role.ADMIN))


@pytest.mark.parametrize(
    "address,code",
    [
        ("http://127.0.0.1/x.ics", "private_address"),
        ("https://[::1]/x.ics", "private_address"),
        ("http://169.254.169.254/latest", "private_address"),
        ("http://10.0.0.1/x.ics", "private_address"),
        ("file:///etc/passwd", "bad_address"),
        ("http://127.0.0.1:5432/", "bad_address"),
        ("nonsense", "bad_address"),
    ],
)
def test_address__that_is_not_public__is_refused(admin, address, code):
    assert refusal(admin.at(address)) == (422, code)


def test_address__of_a_calendar__is_fetched_with_the_size_limit_of_a_body(
    admin,
    server,  # noqa: F811 - a fixture
    policy,  # noqa: F811 - a fixture
    monkeypatch,
):
    reachable = replace(policy, max_bytes=imports.FETCHING.max_bytes)
    monkeypatch.setattr(imports, "FETCHING", reachable)
    url = f"http://{NAME}:{server.server_port}"
    assert counts(report_of(admin.at(f"{url}/ok.ics"))) == {}
    assert refusal(admin.at(f"{url}/flood")) == (429, "file_too_large")
    assert refusal(admin.at(f"{url}/page")) == (422, "no_calendar")


@pytest.mark.parametrize(
    "body,status,code",
    [
        ("{", 400, "not_json"),
        ("[" * 100_000, 400, "not_json"),
        ("[]", 422, "invalid"),
        ("{}", 422, "invalid"),
        ('{"address":1}', 422, "invalid"),
        ('{"address":""}', 422, "invalid"),
        ('{"address":"https://x.example/","more":1}', 422, "invalid"),
    ],
)
def test_address__invalid_body__is_refused(admin, body, status, code):
    assert refusal(admin.post("/imports/calendar", body)) == (status, code)


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "multipart/form-data"])
def test_content_type__unsupported__is_refused(admin, kind):
    answer = admin.ics(event("a", 0, 1), content_type=kind)
    assert refusal(answer) == (422, "wrong_content_type")
    assert answer.json()["content_types"] == ["text/calendar", "application/json"]
    assert refusal(admin.csv(row("Dogger", 0, 1), content_type=kind)) == (422, "wrong_content_type")
    assert refusal(admin.post("/imports/bookings?building=hq", {"address": "x"})) == (
        422, "wrong_content_type",
    )  # fmt: skip


@pytest.mark.parametrize("query", ["?dryrun=true", "?building=hq&replay_on=today", "?dry_run=x"])
def test_query__unknown_parameter_or_value__is_refused(admin, query):
    assert refusal(admin.ics(event("a", 0, 1), query=query)) == (422, "invalid")
    table = f"{query}&building=hq"
    assert refusal(admin.csv(row("Dogger", 0, 1), query=table)) == (422, "invalid")
    assert not Booking.objects.exists()


def test_building__unknown__is_404(admin):
    assert refusal(admin.ics(query="?building=nowhere")) == (404, "not_found")
    assert refusal(admin.csv(query="?building=nowhere")) == (404, "not_found")
    assert refusal(admin.csv(query="?building=%00")) == (422, "impossible_value")


def test_body__too_large__is_413(admin):
    assert refusal(admin.ics(raw=b"x" * 262_145)) == (413, "body_too_large")
    assert refusal(admin.csv(raw=b"x" * 262_145)) == (413, "body_too_large")


def test_entries__too_many__are_refused_before_the_import(admin):
    most = report_of(admin.ics(*(event(f"e{n}", 0, 1, "Nowhere") for n in range(500))))
    assert most["refused"] == 500
    many = admin.ics(*(event(f"e{n}", n, n + 1) for n in range(501)))
    assert refusal(many) == (429, "too_many_entries")
    assert "manage.py import_calendar" in many.json()["detail"]
    daily = event("s", 0, 1, more="RRULE:FREQ=DAILY\r\n")
    assert refusal(admin.ics(daily)) == (429, "too_many_entries")
    over = [event(f"s{n}", 0, 1, more="RRULE:FREQ=DAILY;COUNT=1\r\n") for n in range(101)]
    assert refusal(admin.ics(*over)) == (429, "too_many_entries")
    table = admin.csv(*(row("Dogger", n, n + 1) for n in range(501)))
    assert refusal(table) == (429, "too_many_entries")
    assert (table.json()["max_entries"], table.json()["command"]) == (500, "import_bookings")
    assert not Booking.objects.exists()


@pytest.mark.parametrize("raw", GARBAGE)
def test_garbage__as_a_file__is_refused(admin, raw):
    assert refusal(admin.ics(raw=raw))[0] == 422
    assert refusal(admin.csv(raw=raw))[0] == 422
    assert not Booking.objects.exists()


@pytest.mark.parametrize("bad", ["\0", "\ufffe", "\u202e", "x" * 500, "=1+1", "'", "\x0b"])
def test_garbage__inside_an_entry__refuses_that_entry_only(admin, bad):
    raw = (HEAD + row(f"D{bad}", 0, 1, bad) + row("Dogger", 2, 3)).encode()
    report = report_of(admin.csv(raw=raw, query="?building=hq&partial=true"))
    assert counts(report) == {"created": 1, "refused": 1}


def test_import__invalid_token__is_401(dogger):
    assert refusal(Importer(token="mr_wrong").ics(event("a", 0, 1))) == (401, "not_authenticated")
