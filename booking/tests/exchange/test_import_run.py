"""Importing calendars: idempotent by UID, with exact refusals, and never stored in part."""

import contextlib
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from booking.models import Booking
from booking.tests.factories import at, book, hours
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.models import Building, Room

pytestmark = pytest.mark.django_db


def event(
    uid: str, start: str, end: str, room: str = "K.1.105 (La Fontaine)", more: str = ""
) -> str:
    zone = "TZID=Europe/Brussels"
    return (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;{zone}:{start}\r\n"
        f"DTEND;{zone}:{end}\r\nSUMMARY:Talk {uid}\r\nLOCATION:{room}\r\n{more}END:VEVENT\r\n"
    )


class Calendar:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._file = folder / "calendar.ics"
        self._capsys = capsys

    def run(self, *events: str, raw: bytes | None = None, **options) -> dict:
        head, tail = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\n", "END:VCALENDAR\r\n"
        self._file.write_bytes(raw or (head + "".join(events) + tail).encode())
        options = {"create_rooms": True, "json": True, **options}
        with contextlib.suppress(SystemExit):  # the exit code only reports that there are refusals
            call_command("import_calendar", str(self._file), **options)
        return json.loads(self._capsys.readouterr().out)


@pytest.fixture
def calendar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Calendar:
    return Calendar(tmp_path, capsys)


A = event("a", "20260312T100000", "20260312T105000")
B = event("b", "20260312T105000", "20260312T114000")


def test_import__new_events__create_rooms_on_the_floors_of_their_names(calendar):
    report = calendar.run(A, B)
    assert (report["created"], report["rooms_created"]) == (2, ["K.1.105 (La Fontaine)"])
    room = Room.objects.get()
    assert (room.floor.building.slug, room.floor.level) == ("k", 1)
    assert room.floor.building.timezone == "Europe/Brussels"
    assert Booking.objects.get(external_uid="a").interval == Interval(at(9), at(9, 50))


def test_import__again__changes_nothing(calendar):
    calendar.run(A, B)
    version = Room.objects.get().schedule_version
    assert calendar.run(A, B)["unchanged"] == 2
    assert Room.objects.get().schedule_version == version


def test_import__changed_event__moves_its_booking(calendar):
    calendar.run(A, B)
    report = calendar.run(event("a", "20260312T130000", "20260312T135000"), B)
    assert (report["updated"], report["unchanged"]) == (1, 1)
    assert Booking.objects.get(external_uid="a").interval == Interval(at(12), at(12, 50))


def test_import__replayed_on_the_next_day__moves_events_into_each_others_slots(calendar):
    calendar.run(A, event("c", "20260313T100000", "20260313T105000"))
    report = calendar.run(
        A, event("c", "20260313T100000", "20260313T105000"), replay_on="2026-03-13"
    )
    assert (report["updated"], report["refused"]) == (2, 0)
    assert Booking.objects.get(external_uid="c").interval.start == at(9, day=14)


def test_import__two_talks_swapped_rooms__both_move(calendar):
    janson = "Janson"
    calendar.run(A, event("b", "20260312T100000", "20260312T105000", janson))
    report = calendar.run(
        event("a", "20260312T100000", "20260312T105000", janson),
        event("b", "20260312T100000", "20260312T105000"),
    )
    assert (report["updated"], report["refused"]) == (2, 0)
    assert Booking.objects.get(external_uid="a").room.name == janson


def test_import__slot_taken_by_a_person__is_refused_and_unchanged(calendar):
    calendar.run(A)
    book(Room.objects.get(), hours(11, 12), clock=FixedClock(at(11)))  # a person has checked in
    report = calendar.run(event("a", "20260312T120000", "20260312T125000"))
    assert [r["code"] for r in report["refusals"]] == ["slot_taken"]
    assert Booking.objects.get(external_uid="a").interval.start == at(9)


def test_import__new_event_over_a_booking__is_refused_and_reported(calendar):
    calendar.run(A)
    report = calendar.run(A, event("n", "20260312T101000", "20260312T102000"))
    assert [r["code"] for r in report["refusals"]] == ["slot_taken"]
    assert (report["updated"], Booking.objects.count()) == (0, 1)


def test_import__swap_beside_a_third_event__leaves_the_third_unchanged(calendar):
    late = event("c", "20260312T150000", "20260312T160000")
    calendar.run(A, B, late)
    swapped = (event("a", "20260312T105000", "20260312T114000"),
               event("b", "20260312T100000", "20260312T105000"))  # fmt: skip
    report = calendar.run(*swapped, late)
    assert (report["updated"], report["unchanged"]) == (2, 1)
    assert set(Booking.objects.values_list("state", flat=True)) == {"confirmed"}


def test_import__over_the_skipped_hour__is_checked_by_instants(calendar):
    zone = "TZID=Europe/Helsinki"
    gap = event("g", "20270328T033000", "20270328T040000").replace("TZID=Europe/Brussels", zone)
    report = calendar.run(A, gap)
    assert (report["created"], [r["code"] for r in report["refusals"]]) == (
        1, ["end_not_after_start"],
    )  # fmt: skip


def test_import__names_with_the_same_slug__are_two_rooms(calendar):
    report = calendar.run(
        event("a", "20260312T100000", "20260312T105000", "Q.1 A"),
        event("b", "20260312T100000", "20260312T105000", "Q.1-A"),
    )
    assert report["rooms_created"] == ["Q.1 A", "Q.1-A"]


def test_import__cancelled_event__cancels_and_stays_cancelled(calendar):
    calendar.run(A)
    cancelled = event("a", "20260312T100000", "20260312T105000", more="STATUS:CANCELLED\r\n")
    assert calendar.run(cancelled)["cancelled"] == 1
    assert calendar.run(A)["unchanged"] == 1


def test_import__dry_run__reports_and_stores_nothing(calendar):
    assert calendar.run(A, B, dry_run=True)["created"] == 2
    assert not Booking.objects.exists()
    assert not Building.objects.exists()


@pytest.mark.parametrize(
    "bad,code",
    [
        (event("x", "20260312T110000", "20260312T100000"), "end_not_after_start"),
        (event("x", "20260312T100000", "20260312T110000", more="RRULE:FREQ=SECONDLY\r\n"),
         "finer_than_a_day"),
        (event("x", "2026-garbage", "20260312T110000"), "bad_time"),
        (event("x", "20260312T100000", "20260312T110000", room=""), "no_room"),
        (event("x", "20260312T100000", "20260312T110000").replace(";TZID=Europe/Brussels", ""),
         "time_without_zone"),
        (event("", "20260312T100000", "20260312T110000"), "no_uid"),
        (event("x", "20260312T100000", "20260312T110000", room="42"), "no_building"),
    ],
)  # fmt: skip
def test_import__one_bad_event__refuses_that_event_only(calendar, bad, code):
    report = calendar.run(A, bad)
    assert [refusal["code"] for refusal in report["refusals"]] == [code]
    assert list(Booking.objects.values_list("external_uid", flat=True)) == ["a"]


def test_import__uid_twice__refuses_both(calendar):
    report = calendar.run(A, event("a", "20260312T120000", "20260312T130000"))
    assert [r["code"] for r in report["refusals"]] == ["repeated_uid"] * 2
    assert not Booking.objects.exists()


def test_import__unknown_room_without_create__is_refused(calendar):
    report = calendar.run(A, create_rooms=False)
    assert [r["code"] for r in report["refusals"]] == ["unknown_room"]


@pytest.mark.parametrize("raw", [b"hello", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTST"])
def test_import__incomplete_calendar__exits_2_and_stores_nothing(calendar, raw):
    with pytest.raises(CommandError, match="Nothing was stored") as failed:
        calendar.run(raw=raw)
    assert failed.value.returncode == 2
    assert not Room.objects.exists()


@pytest.mark.parametrize("option", [{"replay_on": "soon"}, {"timezone": "Mars/Base"}])
def test_import__bad_option__is_a_command_error(calendar, option):
    with pytest.raises(CommandError):
        calendar.run(A, **option)
