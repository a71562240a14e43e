"""Tables: exports are read back, files of other systems are read, refusals name their row."""

import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.exchange.csv.presets import Preset
from booking.exchange.csv.table import (
    COLUMNS,
    FORMULA_STARTS,
    ParsedTable,
    TableRow,
    neutralised,
    parse_table,
    restored,
    write_table,
)
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.interval import Interval

HELSINKI = ZoneInfo("Europe/Helsinki")
HEAD = "room,starts_at,ends_at,title,private\n"


def parsed(text: str, preset: Preset = Preset.MEETING_ROOMS, **more) -> ParsedTable:
    return parse_table(text.encode(), preset=preset, building="hq", zone=HELSINKI, **more)


def row(**more) -> TableRow:
    start = datetime(2026, 3, 12, 8, tzinfo=UTC)
    fields = {"id": "1", "room": "Sauna", "building": "hq", "zone": HELSINKI, "title": "Plan",
              "interval": Interval(start, start.replace(hour=9)), "organizer": "Ada",
              "organizer_email": "ada@example.org", "state": "confirmed",
              "is_private": False, "attendees": "4"}  # fmt: skip
    return TableRow(**(fields | more))


def test_table__written__has_local_times_with_their_offset():
    lines = list(write_table([row()]))
    assert lines[0].strip() == ",".join(COLUMNS)
    assert lines[1].strip() == (
        "1,Sauna,hq,2026-03-12T10:00:00+02:00,2026-03-12T11:00:00+02:00,Europe/Helsinki,"
        "Plan,Ada,ada@example.org,confirmed,no,4"
    )


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_cell__that_would_be_a_formula__is_written_as_text(start):
    title = f"{start}HYPERLINK(1)"
    (record,) = list(csv.DictReader(io.StringIO("".join(write_table([row(title=title)])), "")))
    assert record["title"] == "'" + title


@given(st.text(alphabet="'=+-@\t\rab, \"\n;"))
def test_cell__neutralised_and_restored__is_unchanged(text):
    assert not neutralised(text).startswith(FORMULA_STARTS)
    assert restored(neutralised(text)) == text


@given(title=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C", "Z"])))
def test_table__written_and_read__keeps_its_values(title):
    table = parsed("".join(write_table([row(title=title, is_private=True)])))
    assert table.refused == ()
    (found,) = table.rows
    assert (found.number, found.id, found.building) == (2, "1", "hq")
    assert found.event.interval == row().interval
    assert (found.event.title, found.event.is_private) == (title, True)


def test_mrbs_report__parsed__gives_its_bookings():
    text = (
        '"Brief description","Area","Room","Start time","End time","Duration","Created by:"\r\n'
        '"Board, quarterly","North","Sauna","10:00:00 - Thursday 12 March 2026",'
        '"11:30:00 - Thursday 12 March 2026","1.5 hours","ada"\r\n'
        '"Lunch","North","Sauna","12:00PM - Friday 13 March 2026","01:00PM - Friday 13 March 2026",'
        '"1 hour","ada"\r\n'
    )
    table = parsed(text, Preset.MRBS)
    assert table.refused == ()
    assert [(r.building, r.event.title, r.event.organizer, f"{r.event.start:%d %H:%M}")
            for r in table.rows] == [
        ("North", "Board, quarterly", "ada", "12 08:00"),
        ("North", "Lunch", "ada", "13 10:00"),
    ]  # fmt: skip


def test_librebooking_export__parsed__gives_its_bookings():
    text = (
        "User,Resource,Title,Description,Begin,End,Duration,Created,Last Modified,"
        "Reference Number\n"
        '"Ada L","Sauna","Plan","",12/03/2026 10:00,12/03/2026 11:00,"1 hour",'
        "01/03/2026 09:00:00,,5f1\n"
        '"Ada L","Sauna","Plan","",3/13/2026 1:00 PM,3/13/2026 2:00 PM,"1 hour",,,5f2\n'
        '"Ada L","Sauna","Plan","","Thu, 3/12 10:00 AM","Thu, 3/12 11:00 AM","1 hour",,,5f3\n'
    )
    table = parsed(text, Preset.LIBREBOOKING)
    assert [(r.id, f"{r.event.start:%m-%d %H:%M}") for r in table.rows] == [
        ("5f1", "03-12 08:00"), ("5f2", "03-13 11:00"),
    ]  # fmt: skip
    assert [(r.number, r.code) for r in table.refused] == [(4, "bad_time")]


def test_librebooking_import_file__with_two_rooms_in_a_row__gives_two_bookings():
    text = (
        "email,resource names,title,description,begin,end\n"
        'ada@example.org,"Sauna, Lounge",Plan,,2026-03-12 10:00,2026-03-12 11:00\n'
    )
    rows = parsed(text, Preset.LIBREBOOKING).rows
    assert [r.event.location for r in rows] == ["Sauna", "Lounge"]
    assert len({r.event.uid for r in rows}) == 2


def test_date_format__given__replaces_the_default_formats():
    text = HEAD + "Sauna,12.3.26 10.00,12.3.26 11.00,,\nSauna,2026-03-12T10:00,2026-03-12T11:00,,\n"
    table = parsed(text, date_format="%d.%m.%y %H.%M")
    assert [r.number for r in table.rows] == [2]
    assert [r.code for r in table.refused] == ["bad_time"]


@pytest.mark.parametrize(
    "line,code",
    [
        ("Sauna,2026-03-29T03:30,2026-03-29T05:00,,", "time_does_not_exist"),
        ("Sauna,2026-10-25T03:30,2026-10-25T05:00,,", "time_is_ambiguous"),
        ("Sauna,tomorrow,2026-10-25T05:00,,", "bad_time"),
        ("Sauna,2026-03-12T10:00,2026-03-12T10:00,,", "end_not_after_start"),
        (",2026-03-12T10:00,2026-03-12T11:00,,", "no_room"),
        ("Sauna,2026-03-12T10:00", "bad_time"),
        ("Sauna,2026-03-12T10:00,2026-03-12T11:00,,perhaps", "bad_value"),
    ],
)
def test_bad_row__among_good_rows__is_refused_with_its_number(line, code):
    good = "Sauna,2026-03-12T10:00+02:00,2026-03-12T11:00+02:00,,no"
    table = parsed(f"{HEAD}{good}\n\n{line}\n{good}\n")
    assert [r.number for r in table.rows] == [2, 5]
    assert [(r.number, r.code) for r in table.refused] == [(4, code)]
    assert table.refused[0].detail.endswith(".")


def test_times_that_occur_twice__with_their_offset__differ():
    both = "Sauna,2026-10-25T03:30+03:00,2026-10-25T03:30+02:00,,\n"
    (found,) = parsed(HEAD + both).rows
    assert found.event.interval.duration.total_seconds() == 3600


@pytest.mark.parametrize(
    "raw,code",
    [
        ("room,starts_at\nCaf\u00e9,1\n".encode("latin-1"), "not_utf8"),
        ("room,starts_at\n".encode("utf-16"), "not_utf8"),
        (b"", "missing_column"),
        (b"room,starts_at,title\n", "missing_column"),
        (HEAD.encode() + b"a,b,c,d,e\n" * 20_001, "too_many_rows"),
        (b"x" * (5 * 1024 * 1024 + 1), "file_too_large"),
        (HEAD.encode() + b"x" * 200_000, "unreadable_table"),
    ],
    ids=["latin-1", "utf-16", "empty", "column", "rows", "bytes", "cell"],
)
def test_table__unreadable_or_too_large__is_refused(raw, code):
    with pytest.raises(MeetingRoomsError) as refused:
        parse_table(raw, preset=Preset.MEETING_ROOMS, building="hq", zone=HELSINKI)
    assert refused.value.code == code


@pytest.mark.parametrize("separator", [";", "\t"])
def test_table__with_a_byte_order_mark_and_other_separators__is_read(separator):
    text = "\ufeff" + (HEAD + "Sauna,2026-03-12T10:00,2026-03-12T11:00,Plan,\n").replace(
        ",", separator
    )
    assert [r.event.title for r in parsed(text).rows] == ["Plan"]
