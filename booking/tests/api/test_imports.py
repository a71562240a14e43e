"""Imports over REST: the result of each entry, and the permission to import."""

from datetime import UTC, datetime

import pytest

from booking.models import AuditEntry, Booking
from booking.tests.api.import_calls import Importer, counts, event, refusal, report_of, row
from booking.tests.api_calls import future
from identity.models import Role
from identity.tests.factories import person
from rooms.models import Room
from rooms.tests.factories import building, floor, room
from rooms.tests.factories import policy as rules

pytestmark = pytest.mark.django_db


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
    first = report_of(admin.ics(event("a", 0, 1), event("b", 2, 3)))
    assert (first["stored"], first["calendar"], counts(first)) == (True, "Calendar", {"created": 2})
    assert counts(report_of(admin.ics(event("a", 0, 1), event("b", 2, 3)))) == {"unchanged": 2}
    cancelled = event("b", 2, 3, more="STATUS:CANCELLED\r\n")
    report = report_of(admin.ics(event("a", 4, 5), cancelled))
    assert counts(report) == {"updated": 1, "cancelled": 1}
    stored = Booking.objects.get(external_uid="a")
    assert (stored.room, stored.title, stored.interval.start) == (dogger, "Talk a", future(4))


def test_calendar__imported__is_audited_as_an_import_with_the_person(admin):
    admin.ics(event("a", 0, 1))
    entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.actor_name) == ("import", "Ada")
    assert entry.actor_user_id == admin.who.pk


def test_calendar__series__books_its_dates(admin):
    weekly = event("s", 0, 1, more="RRULE:FREQ=WEEKLY;COUNT=4\r\n")
    assert counts(report_of(admin.ics(weekly))) == {"created": 4}
    starts = sorted(b.interval.start for b in Booking.objects.all())
    assert [(at - starts[0]).days for at in starts] == [0, 7, 14, 21]


def test_calendar__refused_events__are_reported_with_code_and_sentence(admin):
    report = report_of(admin.ics(event("a", 0, 1), event("b", 0, 2), event("c", 3, 3),
                            event("d", 4, 5, "Nowhere")))  # fmt: skip
    assert counts(report) == {"created": 1, "refused": 3}
    assert [(one["uid"], one["code"]) for one in report["refusals"]] == [
        ("c", "end_not_after_start"), ("d", "unknown_room"), ("b", "slot_taken"),
    ]  # fmt: skip
    assert all(one["detail"].endswith(".") for one in report["refusals"])
    assert report["refusals"][2]["title"] == "Talk b"


def test_calendar__many_refused__lists_100_and_counts_all(admin):
    report = report_of(admin.ics(*(event(f"e{n}", 0, 1, "Nowhere") for n in range(120))))
    assert (report["refused"], len(report["refusals"])) == (120, 100)


def test_calendar__dry_run__reports_and_stores_nothing(admin):
    report = report_of(admin.ics(event("a", 0, 1), query="?dry_run=true"))
    assert (report["stored"], counts(report)) == (False, {"created": 1})
    assert not Booking.objects.exists()


def test_calendar__default_room_and_building__are_those_of_the_query(admin, dogger):
    other = room("Dogger", on=floor(building(slug="annex")))
    ambiguous = report_of(admin.ics(event("a", 0, 1)))
    assert ambiguous["refusals"][0]["code"] == "ambiguous_room"
    report_of(admin.ics(event("a", 0, 1, ""), query="?building=annex&room=Dogger"))
    assert Booking.objects.get().room == other


def test_calendar__adjacent_events_shifted__are_moved_in_any_order(admin):
    hours = range(8)
    report_of(admin.ics(*(event(f"e{n}", n, n + 1) for n in hours)))
    later = [event(f"e{n}", n + 1, n + 2) for n in hours]
    assert counts(report_of(admin.ics(*later))) == {"updated": 8}
    assert counts(report_of(admin.ics(*(event(f"e{n}", n, n + 1) for n in hours)))) == {
        "updated": 8
    }


def test_table__rows__are_booked_once(admin, dogger):
    report = report_of(admin.csv(row("Dogger", 0, 1), row("Dogger", 1, 2, "Next")))
    assert (report["stored"], counts(report)) == (True, {"created": 2})
    again = report_of(admin.csv(row("Dogger", 0, 1), row("Dogger", 1, 2, "Next")))
    assert counts(again) == {"unchanged": 2}


def test_table__dry_run__reports_and_stores_nothing(admin):
    report = report_of(admin.csv(row("Dogger", 0, 1), query="?building=hq&dry_run=true"))
    assert (report["stored"], counts(report)) == (False, {"created": 1})
    assert not Booking.objects.exists()


def test_table__refused_rows__store_nothing_unless_partial(admin):
    rows = [
        row("Dogger", 0, 1),
        row("Dogger", 0, 2, "Clash"),
        row("Nowhere", 3, 4),
        "Dogger,x,y,\n",
    ]
    report = report_of(admin.csv(*rows))
    assert (report["stored"], counts(report)) == (False, {"created": 1, "refused": 3})
    assert [(one["number"], one["code"]) for one in report["refusals"]] == [
        (3, "slot_taken"), (4, "unknown_room"), (5, "bad_time"),
    ]  # fmt: skip
    assert not Booking.objects.exists()
    report = report_of(admin.csv(*rows, query="?building=hq&partial=true"))
    assert (report["stored"], Booking.objects.get().title) == (True, "Plan")


def test_table__preset_and_date_format__are_those_of_the_query(admin):
    raw = (
        b"Room,Start time,End time,Brief description\nDogger,02.03.2036 09h00,02.03.2036 10h00,X\n"
    )
    query = "?building=hq&preset=mrbs&date_format=%25d.%25m.%25Y%20%25Hh%25M"
    assert counts(report_of(admin.csv(raw=raw, query=query))) == {"created": 1}
    assert Booking.objects.get().interval.start == datetime(2036, 3, 2, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "form", ["%25Y%25Y", "%25d", "%25", "%25Q%25Y", "%25999Y", "x", "%25x%25Y"]
)
def test_table__invalid_date_format__is_refused(admin, form):
    answer = admin.csv(row("Dogger", 0, 1), query=f"?building=hq&date_format={form}")
    assert refusal(answer) == (422, "bad_date_format")


def test_import__by_staff__is_refused(dogger):
    staff = Importer(person())
    assert refusal(staff.ics(event("a", 0, 1))) == (403, "permission_denied")
    assert refusal(staff.csv(row("Dogger", 0, 1))) == (403, "permission_denied")
    assert refusal(staff.at("https://calendars.example/x.ics")) == (403, "permission_denied")


def test_import__by_a_manager_of_the_room__is_allowed(manager):
    assert counts(report_of(manager.ics(event("a", 0, 1)))) == {"created": 1}
    assert counts(report_of(manager.csv(row("Dogger", 2, 3)))) == {"created": 1}


def test_import__with_a_room_of_other_managers__imports_nothing(manager, dogger):
    room("Fisher", on=dogger.floor)
    assert refusal(manager.ics(event("a", 0, 1), event("b", 0, 1, "Fisher"))) == (
        403, "permission_denied",
    )  # fmt: skip
    answer = manager.csv(row("Dogger", 2, 3), row("Fisher", 2, 3))
    assert refusal(answer) == (403, "permission_denied")
    assert answer.json()["rooms"] == ["Fisher"]
    assert not Booking.objects.exists()


def test_import__moving_a_booking_from_a_room_of_other_managers__is_refused(manager, admin, dogger):
    room("Fisher", on=dogger.floor)
    report_of(admin.ics(event("a", 0, 1, "Fisher")))
    assert refusal(manager.ics(event("a", 0, 1))) == (403, "permission_denied")
    assert Booking.objects.get().room.name == "Fisher"


def test_import__by_a_manager_of_the_building__is_allowed_in_its_rooms(dogger):
    mel = person("Mel")
    rules(dogger.floor.building, managers=[mel])
    assert counts(report_of(Importer(mel).ics(event("a", 0, 1)))) == {"created": 1}
