"""Imports over REST: who may, what is told, and what is refused before anything is stored."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from booking.api import imports
from booking.models import AuditEntry, Booking
from booking.tests.api_calls import Caller, future
from booking.tests.test_fetch import NAME, Server, policy, server  # noqa: F401 - a fixture
from identity.models import Role
from identity.tests.factories import person
from rooms.models import Room
from rooms.tests.factories import building, floor, room
from rooms.tests.factories import policy as rules

pytestmark = pytest.mark.django_db
HEAD = "room,starts_at,ends_at,title\n"
EMPTY = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nEND:VCALENDAR\r\n"
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


def stamp(hour: int) -> str:
    return future(hour).strftime("%Y%m%dT%H%M%SZ")


def event(uid: str, start: int, end: int, place: str = "Dogger", more: str = "") -> str:
    location = f"LOCATION:{place}\r\n" if place else ""
    return (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:{stamp(start)}\r\n"
        f"DTEND:{stamp(end)}\r\nSUMMARY:Talk {uid}\r\n{location}{more}END:VEVENT\r\n"
    )


def calendar(*events: str) -> bytes:
    return EMPTY.replace("END:VCALENDAR", "".join(events) + "END:VCALENDAR").encode()


def row(place: str, start: int, end: int, title: str = "Plan") -> str:
    return f"{place},{future(start).isoformat()},{future(end).isoformat()},{title}\n"


class Importer(Caller):
    """Sends files."""

    def ics(self, *events: str, raw: bytes | None = None, query: str = "", **extra):
        body = calendar(*events) if raw is None else raw
        return self._send(f"/imports/calendar{query}", body, "text/calendar; charset=utf-8", extra)

    def csv(self, *rows: str, raw: bytes | None = None, query: str = "?building=hq", **extra):
        body = (HEAD + "".join(rows)).encode() if raw is None else raw
        return self._send(f"/imports/bookings{query}", body, "text/csv", extra)

    def at(self, address: str, query: str = ""):
        return self.post(f"/imports/calendar{query}", {"address": address})

    def _send(self, path: str, body: bytes, kind: str, extra: dict[str, str]):
        sent = {"content_type": kind, **extra}
        return self._client.post(f"/api/v1{path}", data=body, **sent)


def told(answer) -> dict:
    assert answer.status_code == 200, answer.content
    return answer.json()


def refusal(answer) -> tuple[int, str]:
    problem = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.status_code == problem["status"]
    assert problem["detail"]
    return answer.status_code, problem["code"]


def counts(report: dict) -> dict[str, int]:
    outcomes = ("created", "updated", "cancelled", "unchanged", "refused")
    return {name: report[name] for name in outcomes if report[name]}


@pytest.fixture
def dogger(db) -> Room:
    return room("Dogger", on=floor(building(slug="hq", timezone="Europe/Helsinki")))


@pytest.fixture
def admin(dogger) -> Importer:
    return Importer(person("Ada", role=Role.ADMIN))


@pytest.fixture
def manager(dogger) -> Importer:
    mel = person("Mel")
    rules(dogger, managers=[mel])
    return Importer(mel)


def test_calendar__events__are_booked_once_moved_and_cancelled(admin, dogger):
    first = told(admin.ics(event("a", 0, 1), event("b", 2, 3)))
    assert (first["stored"], first["calendar"], counts(first)) == (True, "Calendar", {"created": 2})
    assert counts(told(admin.ics(event("a", 0, 1), event("b", 2, 3)))) == {"unchanged": 2}
    gone = event("b", 2, 3, more="STATUS:CANCELLED\r\n")
    report = told(admin.ics(event("a", 4, 5), gone))
    assert counts(report) == {"updated": 1, "cancelled": 1}
    stored = Booking.objects.get(external_uid="a")
    assert (stored.room, stored.title, stored.interval.start) == (dogger, "Talk a", future(4))


def test_calendar__is_in_the_log_as_an_import__by_whom(admin):
    admin.ics(event("a", 0, 1))
    entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.actor_name) == ("import", "Ada")
    assert entry.actor_user_id == admin.who.pk


def test_calendar__series__is_its_dates(admin):
    weekly = event("s", 0, 1, more="RRULE:FREQ=WEEKLY;COUNT=4\r\n")
    assert counts(told(admin.ics(weekly))) == {"created": 4}
    starts = sorted(b.interval.start for b in Booking.objects.all())
    assert [(at - starts[0]).days for at in starts] == [0, 7, 14, 21]


def test_calendar__refused_events__are_told_with_code_and_sentence(admin):
    report = told(admin.ics(event("a", 0, 1), event("b", 0, 2), event("c", 3, 3),
                            event("d", 4, 5, "Nowhere")))  # fmt: skip
    assert counts(report) == {"created": 1, "refused": 3}
    assert [(one["uid"], one["code"]) for one in report["refusals"]] == [
        ("c", "end_not_after_start"), ("d", "unknown_room"), ("b", "slot_taken"),
    ]  # fmt: skip
    assert all(one["detail"].endswith(".") for one in report["refusals"])
    assert report["refusals"][2]["title"] == "Talk b"


def test_calendar__many_refused__lists_100_and_counts_all(admin):
    report = told(admin.ics(*(event(f"e{n}", 0, 1, "Nowhere") for n in range(120))))
    assert (report["refused"], len(report["refusals"])) == (120, 100)


def test_calendar__dry_run__tells_and_stores_nothing(admin):
    report = told(admin.ics(event("a", 0, 1), query="?dry_run=true"))
    assert (report["stored"], counts(report)) == (False, {"created": 1})
    assert not Booking.objects.exists()


def test_calendar__default_room_and_building__are_as_the_query_says(admin, dogger):
    other = room("Dogger", on=floor(building(slug="annex")))
    twice = told(admin.ics(event("a", 0, 1)))
    assert twice["refusals"][0]["code"] == "ambiguous_room"
    told(admin.ics(event("a", 0, 1, ""), query="?building=annex&room=Dogger"))
    assert Booking.objects.get().room == other


def test_calendar__row_of_bookings_shifted__moves_in_any_order(admin):
    hours = range(8)
    told(admin.ics(*(event(f"e{n}", n, n + 1) for n in hours)))
    later = [event(f"e{n}", n + 1, n + 2) for n in hours]
    assert counts(told(admin.ics(*later))) == {"updated": 8}
    assert counts(told(admin.ics(*(event(f"e{n}", n, n + 1) for n in hours)))) == {"updated": 8}


def test_table__rows__are_booked_once(admin, dogger):
    report = told(admin.csv(row("Dogger", 0, 1), row("Dogger", 1, 2, "Next")))
    assert (report["stored"], counts(report)) == (True, {"created": 2})
    again = told(admin.csv(row("Dogger", 0, 1), row("Dogger", 1, 2, "Next")))
    assert counts(again) == {"unchanged": 2}


def test_table__dry_run__tells_and_stores_nothing(admin):
    report = told(admin.csv(row("Dogger", 0, 1), query="?building=hq&dry_run=true"))
    assert (report["stored"], counts(report)) == (False, {"created": 1})
    assert not Booking.objects.exists()


def test_table__refused_rows__keep_all_out_unless_partial(admin):
    rows = [
        row("Dogger", 0, 1),
        row("Dogger", 0, 2, "Clash"),
        row("Nowhere", 3, 4),
        "Dogger,x,y,\n",
    ]
    report = told(admin.csv(*rows))
    assert (report["stored"], counts(report)) == (False, {"created": 1, "refused": 3})
    assert [(one["number"], one["code"]) for one in report["refusals"]] == [
        (3, "slot_taken"), (4, "unknown_room"), (5, "bad_time"),
    ]  # fmt: skip
    assert not Booking.objects.exists()
    report = told(admin.csv(*rows, query="?building=hq&partial=true"))
    assert (report["stored"], Booking.objects.get().title) == (True, "Plan")


def test_table__preset_and_date_format__are_as_the_query_says(admin):
    raw = (
        b"Room,Start time,End time,Brief description\nDogger,02.03.2036 09h00,02.03.2036 10h00,X\n"
    )
    query = "?building=hq&preset=mrbs&date_format=%25d.%25m.%25Y%20%25Hh%25M"
    assert counts(told(admin.csv(raw=raw, query=query))) == {"created": 1}
    assert Booking.objects.get().interval.start == datetime(2036, 3, 2, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "form", ["%25Y%25Y", "%25d", "%25", "%25Q%25Y", "%25999Y", "x", "%25x%25Y"]
)
def test_table__date_format_that_is_none__is_refused(admin, form):
    answer = admin.csv(row("Dogger", 0, 1), query=f"?building=hq&date_format={form}")
    assert refusal(answer) == (422, "bad_date_format")


def test_staff__may_not_import(dogger):
    staff = Importer(person())
    assert refusal(staff.ics(event("a", 0, 1))) == (403, "permission_denied")
    assert refusal(staff.csv(row("Dogger", 0, 1))) == (403, "permission_denied")
    assert refusal(staff.at("https://calendars.example/x.ics")) == (403, "permission_denied")


def test_manager_of_the_room__may_import(manager):
    assert counts(told(manager.ics(event("a", 0, 1)))) == {"created": 1}
    assert counts(told(manager.csv(row("Dogger", 2, 3)))) == {"created": 1}


def test_manager__with_a_room_that_others_run__imports_nothing(manager, dogger):
    room("Fisher", on=dogger.floor)
    assert refusal(manager.ics(event("a", 0, 1), event("b", 0, 1, "Fisher"))) == (
        403, "permission_denied",
    )  # fmt: skip
    answer = manager.csv(row("Dogger", 2, 3), row("Fisher", 2, 3))
    assert refusal(answer) == (403, "permission_denied")
    assert answer.json()["rooms"] == ["Fisher"]
    assert not Booking.objects.exists()


def test_manager__cannot_move_a_booking_out_of_a_room_that_others_run(manager, admin, dogger):
    room("Fisher", on=dogger.floor)
    told(admin.ics(event("a", 0, 1, "Fisher")))
    assert refusal(manager.ics(event("a", 0, 1))) == (403, "permission_denied")
    assert Booking.objects.get().room.name == "Fisher"


def test_manager_of_the_building__may_import_into_its_rooms(dogger):
    mel = person("Mel")
    rules(dogger.floor.building, managers=[mel])
    assert counts(told(Importer(mel).ics(event("a", 0, 1)))) == {"created": 1}


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


def test_address__of_a_calendar__is_fetched_with_the_bound_of_a_body(
    admin,
    server: Server,  # noqa: F811
    monkeypatch,
):
    assert imports.FETCHING.max_bytes == 256 * 1024
    reachable = policy(server)
    monkeypatch.setattr(imports, "FETCHING", replace(reachable, max_bytes=256 * 1024))
    url = f"http://{NAME}:{server.server_port}"
    assert counts(told(admin.at(f"{url}/ok.ics"))) == {}
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
def test_address__body_that_is_none__is_refused(admin, body, status, code):
    assert refusal(admin.at("") if body is None else admin.post("/imports/calendar", body)) == (
        status, code,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "multipart/form-data"])
def test_content_type__that_is_another__is_refused(admin, kind):
    answer = admin.ics(event("a", 0, 1), content_type=kind)
    assert refusal(answer) == (422, "wrong_content_type")
    assert answer.json()["content_types"] == ["text/calendar", "application/json"]
    assert refusal(admin.csv(row("Dogger", 0, 1), content_type=kind)) == (422, "wrong_content_type")
    assert refusal(admin.post("/imports/bookings?building=hq", {"address": "x"})) == (
        422, "wrong_content_type",
    )  # fmt: skip


@pytest.mark.parametrize("query", ["?dryrun=true", "?building=hq&replay_on=today", "?dry_run=x"])
def test_query__that_means_nothing_here__is_refused(admin, query):
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


def test_entries__too_many__are_refused_up_front(admin):
    most = told(admin.ics(*(event(f"e{n}", 0, 1, "Nowhere") for n in range(500))))
    assert most["refused"] == 500
    many = admin.ics(*(event(f"e{n}", n, n + 1) for n in range(501)))
    assert refusal(many) == (429, "too_many_entries")
    assert "manage.py import_calendar" in many.json()["detail"]
    daily = event("s", 0, 1, more="RRULE:FREQ=DAILY\r\n")
    assert refusal(admin.ics(daily)) == (429, "too_many_entries")
    table = admin.csv(*(row("Dogger", n, n + 1) for n in range(501)))
    assert refusal(table) == (429, "too_many_entries")
    assert (table.json()["max_entries"], table.json()["command"]) == (500, "import_bookings")
    assert not Booking.objects.exists()


@pytest.mark.parametrize("raw", GARBAGE)
def test_garbage__is_refused_whole(admin, raw):
    assert refusal(admin.ics(raw=raw))[0] == 422
    assert refusal(admin.csv(raw=raw))[0] == 422
    assert not Booking.objects.exists()


@pytest.mark.parametrize("bad", ["\0", "\ufffe", "\u202e", "x" * 500, "=1+1", "'", "\x0b"])
def test_garbage__inside_of_an_entry__is_that_entrys_alone(admin, bad):
    raw = (HEAD + row(f"D{bad}", 0, 1, bad) + row("Dogger", 2, 3)).encode()
    report = told(admin.csv(raw=raw, query="?building=hq&partial=true"))
    assert counts(report) == {"created": 1, "refused": 1}


def test_nobody__is_401(dogger):
    assert refusal(Importer(token="mr_wrong").ics(event("a", 0, 1))) == (401, "not_authenticated")
