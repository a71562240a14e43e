"""Written calendars: this project's parser and the icalendar library read them, for any text."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from booking.exchange.ical.events import ParsedSeries
from booking.exchange.ical.read_calendar import parse_calendar
from booking.exchange.ical.recurring_events import occurrences
from booking.exchange.ical.write_calendar import (
    CalendarEntry,
    EntryStatus,
    clean_line,
    write_calendar,
)
from booking.tests.exchange.calendar_entries import entries_of
from meeting_rooms.kernel.errors import InvalidCommandError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = datetime(2028, 1, 1, tzinfo=UTC)
ZONES = ("Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
HELSINKI = ZoneInfo("Europe/Helsinki")


def entry(**more) -> CalendarEntry:
    start = datetime(2026, 3, 2, 10, tzinfo=HELSINKI)
    fields = {"uid": "u", "start": start, "end": start + timedelta(hours=1), "title": "Plan",
              "stamp": NOW, "location": "Sauna"}  # fmt: skip
    return CalendarEntry(**(fields | more))


def written(*entries: CalendarEntry) -> str:
    raw = write_calendar(entries, name="Sauna", now=NOW)
    return raw.decode().replace("\r\n ", "").replace("\r\n", "\n")


def test_entry__of_a_series__has_dates_in_the_zone_and_type_of_its_start():
    text = written(
        entry(rule="FREQ=WEEKLY;COUNT=6", exdates=(datetime(2026, 3, 9, 10),),
              rdates=(datetime(2026, 3, 11, 12),)),
        entry(recurrence_id=datetime(2026, 3, 16, 10), sequence=2,
              start=datetime(2026, 3, 17, 8, tzinfo=UTC), end=datetime(2026, 3, 17, 9, tzinfo=UTC),
              recurrence_zone=HELSINKI),
    )  # fmt: skip
    for line in (
        "DTSTART;TZID=Europe/Helsinki:20260302T100000",
        "DTEND;TZID=Europe/Helsinki:20260302T110000",
        "RRULE:FREQ=WEEKLY;COUNT=6",
        "EXDATE;TZID=Europe/Helsinki:20260309T100000",
        "RDATE;TZID=Europe/Helsinki:20260311T120000",
        "RECURRENCE-ID;TZID=Europe/Helsinki:20260316T100000",
        "SEQUENCE:2",
        "DTSTAMP:20260301T000000Z",
        "LAST-MODIFIED:20260301T000000Z",
        "TZID:Europe/Helsinki",
    ):
        assert f"\n{line}\n" in text
    assert text.count("\nUID:u\n") == 2
    assert text.count("BEGIN:VTIMEZONE") == 1


def test_entry__private_and_tentative__has_class_and_status():
    text = written(entry(is_private=True, status=EntryStatus.TENTATIVE))
    assert "\nCLASS:PRIVATE\n" in text
    assert "\nSTATUS:TENTATIVE\n" in text
    assert "ORGANIZER" not in text


def test_organizer__without_an_address__gets_a_placeholder_address():
    assert "ORGANIZER;CN=Ada:invalid:nomail" in written(entry(organizer="Ada"))
    with_address = written(entry(organizer="Ada", organizer_email="ada@example.org"))
    assert "ORGANIZER;CN=Ada:mailto:ada@example.org" in with_address


def test_write__same_entries_at_the_same_time__gives_the_same_bytes():
    entries = [entry(uid=str(n)) for n in range(3)]
    assert write_calendar(entries, name="n", now=NOW) == write_calendar(entries, name="n", now=NOW)


def test_entry__without_a_named_zone__is_refused():
    start = datetime.fromisoformat("2026-03-02T10:00:00+02:00")
    with pytest.raises(InvalidCommandError, match="named time zone"):
        written(entry(start=start, end=start + timedelta(hours=1)))


@given(title=st.text(), organizer=st.text(), location=st.text(min_size=1), description=st.text())
def test_text__any_characters__is_read_back_in_valid_lines(title, organizer, location, description):
    raw = write_calendar(
        [entry(title=title, organizer=organizer, location=f"R {location}",
               description=description)],
        name=title, now=NOW,
    )  # fmt: skip
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    assert not any(byte < 32 for byte in raw.replace(b"\r\n", b""))
    assert len(Calendar.from_ical(raw).events) == 1
    (found,) = parse_calendar(raw).events
    assert found.title == clean_line(title)
    assert found.location == clean_line(f"R {location}")


@st.composite
def series(draw) -> list[CalendarEntry]:
    """Draw a series with excluded, extra, moved and cancelled dates, in any zone and season."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    start = datetime(2026, draw(st.integers(1, 12)), draw(st.integers(1, 28)),
                     draw(st.integers(0, 23)), draw(st.sampled_from([0, 15, 30])))  # fmt: skip
    step = draw(st.sampled_from([1, 7, 14]))
    length = timedelta(minutes=draw(st.sampled_from([15, 60, 90, 600])))
    every = {1: "FREQ=DAILY", 7: "FREQ=WEEKLY", 14: "FREQ=WEEKLY;INTERVAL=2"}[step]
    count = draw(st.integers(1, 12))
    dates = [start + timedelta(days=step * n) for n in range(count)]
    some = st.lists(st.sampled_from(dates), unique=True, max_size=3)
    extra = draw(st.lists(st.integers(1, 300), unique=True, max_size=3))
    first = start.replace(tzinfo=zone)
    fields = {"title": "S", "stamp": NOW, "location": "R", "uid": "s"}
    entries = [CalendarEntry(
        **fields, start=first, end=(first.astimezone(UTC) + length).astimezone(zone),
        rule=f"{every};COUNT={count}", exdates=tuple(draw(some)),
        rdates=tuple(start + timedelta(days=n, hours=1) for n in extra),
    )]  # fmt: skip
    for at in draw(some):
        moved = (at + timedelta(hours=draw(st.integers(-30, 30)))).replace(tzinfo=UTC)
        status = draw(st.sampled_from([EntryStatus.CONFIRMED, EntryStatus.CANCELLED]))
        entries.append(CalendarEntry(**fields, start=moved, end=moved + length, recurrence_id=at,
                                     recurrence_zone=zone, status=status))  # fmt: skip
    return entries


def dates_of(parsed: ParsedSeries) -> list[tuple]:
    return [(at.recurrence_id, at.interval, at.is_cancelled) for at in occurrences(parsed, UNTIL)]


@given(series())
def test_series__written_read_and_written_again__keeps_every_instant(entries):
    (once,) = parse_calendar(write_calendar(entries, name="R", now=NOW)).series
    again_raw = write_calendar(
        entries_of(parse_calendar(write_calendar(entries, name="R", now=NOW))), name="R", now=NOW
    )
    (again,) = parse_calendar(again_raw).series
    assert dates_of(again) == dates_of(once)
    assert again.uid == once.uid
    assert {at.recurrence_id for at in again.overrides} == {
        at.recurrence_id for at in once.overrides
    }
    present = {at.recurrence_id for at in occurrences(again, UNTIL)}
    assert not present & set(entries[0].exdates)
