"""Calendars of other programs, read and written, have the instants of a reference program."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from booking.exchange.ical.events import CalendarEvent, ParsedCalendar, ParsedSeries
from booking.exchange.ical.read_calendar import parse_calendar
from booking.exchange.ical.recurring_events import occurrences
from booking.exchange.ical.write_calendar import write_calendar
from booking.tests.exchange.calendar_entries import entries_of

SAMPLES = Path(__file__).parent / "samples"
REFERENCE = json.loads((SAMPLES / "instants.json").read_text())
RULES = json.loads((SAMPLES / "rules.json").read_text())
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
# This event begins in the skipped half hour; see the README of the samples.
LORD_HOWE = (
    ("lh-weekly", "2026-10-03T15:45Z", "2026-10-03T16:15Z"),
    ("lh-weekly", "2026-10-03T15:45Z", "2026-10-03T16:45Z"),
)


def read(name: str) -> ParsedCalendar:
    zone = ZoneInfo(REFERENCE[name]["zone"])
    raw = (SAMPLES / f"{name}.ics").read_bytes()
    return parse_calendar(raw, zone_of=lambda _room: zone, default_location="Room")


def instants(parsed: ParsedCalendar) -> set[tuple[str, str, str]]:
    return set(_instants([*parsed.events, *parsed.series]))


def _instants(found: list[CalendarEvent | ParsedSeries]) -> Iterator[tuple[str, str, str]]:
    for each in found:
        for at in occurrences(each, LAST, since=FIRST):
            if not at.is_cancelled:
                yield (
                    each.uid,
                    f"{at.interval.start:%Y-%m-%dT%H:%MZ}",
                    f"{at.interval.end:%Y-%m-%dT%H:%MZ}",
                )


@pytest.mark.parametrize("name", REFERENCE)
def test_sample__read__has_the_instants_of_the_reference_program(name):
    calendar = read(name)
    expected = {tuple(row) for row in REFERENCE[name]["instants"]}
    if name == "vobject":
        expected = (expected - {LORD_HOWE[0]}) | {LORD_HOWE[1]}
    assert calendar.refused == ()
    assert instants(calendar) == expected


@pytest.mark.parametrize("name", REFERENCE)
def test_sample__written_and_read_again__keeps_instants_uids_and_recurrence_ids(name):
    before = read(name)
    again = parse_calendar(write_calendar(entries_of(before), name="Room", now=FIRST))
    assert again.refused == ()
    assert instants(again) == instants(before)
    changed = [{(s.uid, o.recurrence_id) for s in c.series for o in s.overrides}
               for c in (before, again)]  # fmt: skip
    assert changed[0] == changed[1]


@pytest.mark.parametrize(("zone", "start", "rule", "count", "first"), RULES)
def test_rule__expanded__has_the_dates_of_the_reference_program(zone, start, rule, count, first):
    local = start.replace("-", "").replace(":", "") + "00"
    begins = f"DTSTART:{local}Z" if zone == "UTC" else f"DTSTART;TZID={zone}:{local}"
    raw = (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\nLOCATION:R\r\n"
        f"{begins}\r\nDURATION:PT15M\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()
    (series,) = parse_calendar(raw).series
    found = [at.interval.start for at in occurrences(series, datetime(2029, 1, 1, tzinfo=UTC))]
    assert [f"{at:%Y%m%dT%H%MZ}" for at in found[:8]] == first
    assert len(found) == count
