"""Tables by command: all rows or none, refusals by row number, private bookings hidden."""

import contextlib
import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from booking.models import Booking
from booking.tests.factories import book, hours
from identity.tests.factories import actor
from meeting_rooms.kernel.interval import Interval
from rooms.models import Room
from rooms.tests.factories import building, floor, room

HEAD = "room,starts_at,ends_at,title,private\n"


class Tables:
    """The import and export commands on a temporary file."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.file = folder / "table.csv"
        self._capsys = capsys

    def read(self, text: str | None = None, **options) -> dict:
        if text is not None:
            self.file.write_text(text)
        with contextlib.suppress(SystemExit):  # the exit code only reports that there are refusals
            call_command("import_bookings", str(self.file), building="hq", json=True, **options)
        return json.loads(self._capsys.readouterr().out)

    def write(self, **options) -> list[dict[str, str]]:
        days = {"first": "2026-03-12", "last": "2026-03-12"} | options
        call_command("export_bookings", output=self.file, **days)
        with self.file.open(encoding="utf-8-sig", newline="") as lines:
            return list(csv.DictReader(lines))


@pytest.fixture
def tables(db, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tables:
    return Tables(tmp_path, capsys)


@pytest.fixture
def sauna(db) -> Room:
    return room("Sauna", on=floor(building(slug="hq")))


GOOD = "Sauna,2026-03-12T10:00,2026-03-12T11:00,Plan,no\n"
CLASH = "Sauna,2026-03-12T10:30,2026-03-12T11:30,Clash,no\n"


def test_import__of_good_rows__books_them_once(tables, sauna):
    assert tables.read(HEAD + GOOD)["created"] == 1
    assert tables.read()["unchanged"] == 1
    stored = Booking.objects.get()
    assert (stored.room, stored.title) == (sauna, "Plan")
    assert stored.interval.start == datetime(2026, 3, 12, 8, tzinfo=UTC)


def test_import__with_a_refused_row__stores_nothing_by_default(tables, sauna):
    report = tables.read(HEAD + GOOD + CLASH)
    assert [(r["number"], r["code"]) for r in report["refusals"]] == [(3, "slot_taken")]
    assert (report["stored"], Booking.objects.count()) == (False, 0)


def test_import__partial__stores_the_accepted_rows(tables, sauna):
    report = tables.read(HEAD + GOOD + CLASH + GOOD, partial=True)
    assert [(r["number"], r["code"]) for r in report["refusals"]] == [
        (3, "slot_taken"), (4, "repeated_row"),
    ]  # fmt: skip
    assert (report["stored"], Booking.objects.get().title) == (True, "Plan")


def test_import__with_text_output__names_the_rows_and_exits_1(tables, sauna, capsys):
    tables.file.write_text(HEAD + GOOD + CLASH)
    with pytest.raises(SystemExit) as ended:
        call_command("import_bookings", str(tables.file), building="hq")
    assert ended.value.code == 1
    result = capsys.readouterr().out.splitlines()
    assert result == [
        "Nothing stored (rows were refused; see --partial). The rows: 1 created, 1 refused.",
        "  row 3: Sauna is already booked at this time. Choose another time or another room.",
    ]


def test_import__dry_run__reports_the_same_as_a_run_and_stores_nothing(tables, sauna):
    text = HEAD + GOOD + CLASH + GOOD.replace("Sauna", "Lounge")
    result = tables.read(text, partial=True, create_rooms=True, dry_run=True)
    assert (Booking.objects.count(), Room.objects.count()) == (0, 1)
    done = tables.read(text, partial=True, create_rooms=True)
    assert {**result, "dry_run": False, "stored": True} == done
    assert (done["created"], done["rooms_created"]) == (2, ["Lounge"])


def test_export__read_back__changes_nothing(tables, sauna):
    book(sauna, hours(12, 13), title="=1+1")
    assert [r["title"] for r in tables.write()] == ["'=1+1"]
    report = tables.read()
    assert (report["unchanged"], report["refused"], Booking.objects.count()) == (1, 0, 1)


def test_export__days__are_local_to_the_building(tables, sauna):
    late = Interval(datetime(2026, 3, 12, 22, tzinfo=UTC), datetime(2026, 3, 12, 23, tzinfo=UTC))
    book(sauna, late, title="After midnight in Helsinki")
    assert tables.write() == []
    assert len(tables.write(first="2026-03-13", last="2026-03-13", room="Sauna")) == 1
    assert tables.write(first="2026-03-13", last="2026-03-13", building=building().slug) == []


@pytest.mark.parametrize(
    "command,options",
    [
        ("import_bookings", {"building": "nowhere"}),
        ("import_bookings", {"building": "hq", "preset": "mrbs"}),
        ("export_bookings", {"first": "soon", "last": "2026-03-12"}),
        ("export_bookings", {"first": "2026-03-13", "last": "2026-03-12"}),
    ],
)
def test_command__invalid_options__exits_2(tables, sauna, command, options):
    tables.file.write_text(HEAD)
    where = [str(tables.file)] if command == "import_bookings" else []
    more = {} if where else {"output": tables.file}
    with pytest.raises(CommandError) as failed:
        call_command(command, *where, **options, **more)
    assert failed.value.returncode == 2


def test_export__of_a_private_booking__is_busy_unless_private_ones_are_included(tables, sauna):
    book(sauna, hours(12, 13), title="Redundancies", private=True, by=actor("Ada"))
    (hidden,) = tables.write()
    assert (hidden["title"], hidden["organizer"], hidden["organizer_email"]) == ("Busy", "", "")
    assert "Redundancies" not in tables.file.read_text()
    assert [r["title"] for r in tables.write(include_private=True)] == ["Redundancies"]
