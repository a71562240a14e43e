"""The calendar parser with valid and invalid files, without the database."""

from zoneinfo import ZoneInfo

import pytest

from booking.exchange.ical.recurring_events import occurrences, single_events, with_single_events
from booking.tests.exchange.calendar_files import (
    HELSINKI,
    TEN,
    UNTIL,
    calendar,
    codes,
    event,
    starts,
)


def test_series__with_all_properties__has_the_dates_that_its_author_sees():
    change = TEN.replace("0302T", "0317T")
    parsed = calendar(
        event(TEN + "RRULE:FREQ=WEEKLY;COUNT=5\nEXDATE;TZID=Europe/Helsinki:20260309T100000\n"
              "RDATE;TZID=Europe/Helsinki:20260311T120000\nX-ODD;X-P=1:left alone\n"),
        event("RECURRENCE-ID;TZID=Europe/Helsinki:20260316T100000\nSUMMARY:Moved\n" + change),
        event("RECURRENCE-ID;TZID=Europe/Helsinki:20260323T100000\nSTATUS:CANCELLED\n"
              + TEN.replace("0302T", "0323T")),
    )  # fmt: skip
    found = occurrences(parsed.series[0], UNTIL)
    assert [(f"{at.interval.start:%m-%dT%H}", at.event.title, at.is_cancelled) for at in found] == [
        ("03-02T08", "", False), ("03-11T10", "", False), ("03-17T08", "Moved", False),
        ("03-23T08", "", True), ("03-30T07", "", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "times,expected",
    [
        ("DTSTART;TZID=W. Europe Standard Time:20260302T100000\nDURATION:PT1H\n", "03-02T09:00"),
        ("DTSTART;TZID=/citadel.org/20250101_1/Europe/Berlin:20260702T100000\nDURATION:PT1H\n",
         "07-02T08:00"),
        ("DTSTART:20260302T100000Z\nDURATION:PT1H\n", "03-02T10:00"),
        ("DTSTART:20260302T100000\nDURATION:PT1H\n", "03-02T08:00"),
        ("DTSTART;VALUE=DATE:20260302\n", "03-01T22:00"),
    ],
)  # fmt: skip
def test_time__in_any_zone__is_the_correct_instant(times, expected):
    assert starts(calendar(event(times), zone=HELSINKI)) == [expected]


def test_zone__defined_in_the_file__is_recognised_by_its_definition():
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Head office\n"
        "BEGIN:STANDARD\nDTSTART:16011104T020000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\n"
        "TZOFFSETFROM:-0400\nTZOFFSETTO:-0500\nEND:STANDARD\n"
        "BEGIN:DAYLIGHT\nDTSTART:16010311T020000\nRRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3\n"
        "TZOFFSETFROM:-0500\nTZOFFSETTO:-0400\nEND:DAYLIGHT\nEND:VTIMEZONE\n"
    )
    parsed = calendar(
        zone, event("DTSTART;TZID=Head office:20260307T100000\nDURATION:PT1H\n"
                    "RRULE:FREQ=DAILY;COUNT=2\n"))  # fmt: skip
    assert parsed.series[0].start.tzinfo == ZoneInfo("America/New_York")
    assert starts(parsed) == ["03-07T15:00", "03-08T14:00"]


def test_zone__same_name_in_two_files__differs_per_file():
    def one(offset: str) -> str:
        zone = (
            "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
            f"TZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n"
        )
        return starts(calendar(zone, event("DTSTART;TZID=Ours:20260302T100000\nDURATION:PT1H\n")))[
            0
        ]

    assert [one("+0900"), one("-0700")] == ["03-02T01:00", "03-02T17:00"]


@pytest.mark.parametrize(
    "lines,expected",
    [
        # 25 October has 25 hours in Helsinki, 28 March 2027 has 23.
        ("DTSTART;TZID=Europe/Helsinki:20261024T120000\nDURATION:P1D\nRRULE:FREQ=DAILY;COUNT=2\n",
         [25, 24]),
        ("DTSTART;TZID=Europe/Helsinki:20261024T120000\nDTEND;TZID=Europe/Helsinki:20261024T130000\n"
         "RRULE:FREQ=DAILY;COUNT=2\n", [1, 1]),
        ("DTSTART;TZID=Europe/Helsinki:20270328T010000\nDURATION:PT4H\nRRULE:FREQ=DAILY;COUNT=2\n",
         [4, 4]),
        ("DTSTART;TZID=Europe/Helsinki:20270327T010000\nDTEND;TZID=Europe/Helsinki:20270327T050000\n"
         "RRULE:FREQ=DAILY;COUNT=2\n", [4, 4]),
        ("DTSTART;VALUE=DATE:20270328\nRRULE:FREQ=DAILY;COUNT=2\n", [23, 24]),
    ],
)  # fmt: skip
def test_length__over_a_clock_change__is_nominal_in_days_and_exact_in_hours(lines, expected):
    (series,) = calendar(event(lines), zone=HELSINKI).series
    found = occurrences(series, UNTIL)
    assert [at.interval.duration.total_seconds() / 3600 for at in found] == expected


def test_rule__that_repeats_the_time_of_its_start__is_accepted():
    rule = "RRULE:FREQ=DAILY;COUNT=2;BYHOUR=10;BYMINUTE=0;BYSECOND=00\n"
    assert starts(calendar(event(TEN + rule))) == ["03-02T08:00", "03-03T08:00"]


def test_exdate__as_utc_or_as_a_date__excludes_its_date():
    lines = "RRULE:FREQ=DAILY;COUNT=4\nEXDATE:20260303T080000Z\nEXDATE;VALUE=DATE:20260304\n"
    assert starts(calendar(event(TEN + lines))) == ["03-02T08:00", "03-05T08:00"]


def test_rdate__as_a_period__has_the_length_of_the_period():
    lines = "RDATE;VALUE=PERIOD:20260304T080000Z/PT3H,20260305T080000Z/20260305T083000Z\n"
    (series,) = calendar(event(TEN + lines)).series
    minutes = [at.interval.duration.total_seconds() / 60 for at in occurrences(series, UNTIL)]
    assert minutes == [60, 180, 30]


def test_calendar__with_method_cancel__cancels_all_events():
    parsed = calendar("METHOD:CANCEL\n", event(TEN), event(TEN + "RRULE:FREQ=DAILY;COUNT=2\n", "s"))
    assert parsed.events[0].is_cancelled
    assert all(at.is_cancelled for at in occurrences(parsed.series[0], UNTIL))


def test_change__without_its_series__is_a_separate_event():
    parsed = calendar(event("RECURRENCE-ID;TZID=Europe/Helsinki:20260302T090000\n" + TEN))
    assert [e.uid for e in parsed.events] == ["u#20260302T090000"]


def test_change__unreadable__removes_its_date_from_the_series():
    bad = event("RECURRENCE-ID;TZID=Europe/Helsinki:20260303T100000\nDTSTART:20260303T100000Z\n")
    parsed = calendar(event(TEN + "RRULE:FREQ=DAILY;COUNT=3\n"), bad)
    assert codes(parsed) == ["end_not_after_start"]
    assert starts(parsed) == ["03-02T08:00", "03-04T08:00"]


def test_series__refused__refuses_its_changes_too():
    change = "RECURRENCE-ID;TZID=Europe/Helsinki:20260303T100000\n" + TEN
    parsed = calendar(event(TEN + "RRULE:FREQ=SECONDLY\n"), event(change))
    assert codes(parsed) == ["finer_than_a_day", "series_refused"]
    unreadable_changes = calendar(
        event(TEN + "RRULE:FREQ=DAILY\n"),
        event(change.replace("100000\nDTSTART", "1\nDTSTART")),
        event(change.replace("ID;", "ID;RANGE=THISANDFUTURE;")),
    )
    assert codes(unreadable_changes) == ["bad_time", "series_refused", "series_refused"]
    assert unreadable_changes.series == ()


def test_change__to_this_and_following__refuses_the_series():
    change = "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Helsinki:20260303T100000\n" + TEN
    parsed = calendar(event(TEN + "RRULE:FREQ=DAILY\n"), event(change))
    assert codes(parsed) == ["unsupported_range", "series_refused"]


def test_dates__outside_the_supported_years__refuse_the_series():
    lines = "RRULE:FREQ=DAILY;COUNT=2\nRDATE;TZID=Europe/Helsinki:00010101T000000\n"
    singles = with_single_events(calendar(event(TEN + lines)), UNTIL)
    assert (codes(singles), singles.events) == (["invalid_time"], ())


def test_uid__too_long_to_carry_a_date__is_replaced_by_its_digest():
    (series,) = calendar(event(TEN + "RRULE:FREQ=DAILY;COUNT=2\n", "u" * 250)).series
    uids = {e.uid for e in single_events(series, UNTIL)}
    assert [len(uid) for uid in uids] == [80, 80]


def test_text__with_control_characters__loses_them():
    (found,) = calendar(event(TEN + "SUMMARY:a\x07b\n", room="R\x011")).events
    assert (found.title, found.location) == ("a b", "R 1")


def test_single_events__of_a_series__keep_instants_and_cancel_what_is_excluded():
    lines = "RRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=Europe/Helsinki:20260303T100000\n"
    (series,) = calendar(event(TEN + lines)).series
    assert [(e.uid, e.is_cancelled) for e in single_events(series, UNTIL)] == [
        ("u#20260302T100000", False), ("u#20260304T100000", False), ("u#20260303T100000", True),
    ]  # fmt: skip
