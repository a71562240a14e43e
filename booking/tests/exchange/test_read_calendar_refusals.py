"""Invalid, hostile or endless calendar files: refusals per event, with bounded work."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.exchange.ical.events import UnreadableCalendarError
from booking.exchange.ical.read_calendar import parse_calendar
from booking.exchange.ical.recurring_events import occurrences, with_single_events
from booking.tests.exchange.calendar_files import HELSINKI, TEN, UNTIL, calendar, codes, event
from meeting_rooms.kernel.errors import LimitExceededError, MeetingRoomsError
from meeting_rooms.tests.work import calls_made_by

MAX_CALLS = 100_000  # of Python functions; these tests need up to 46,000


@pytest.mark.parametrize(
    "lines,code",
    [
        (TEN + "RRULE:FREQ=SECONDLY\n", "finer_than_a_day"),
        (TEN + "RRULE:FREQ=HOURLY;COUNT=3\n", "finer_than_a_day"),
        (TEN + "RRULE:FREQ=DAILY;BYHOUR=9,10,11\n", "finer_than_a_day"),
        (TEN + "RRULE:FREQ=DAILY;INTERVAL=0\n", "rule_value_invalid"),
        (TEN + "RRULE:FREQ=DAILY;INTERVAL=99999999999\n", "rule_not_readable"),
        (TEN + "RRULE:FREQ=DAILY;COUNT=3;UNTIL=20270101\n", "count_and_until"),
        (TEN + "RRULE:FREQ=DAILY;EVERY=3\n", "rule_part_unknown"),
        (TEN + "RRULE:FREQ=DAILY;BYDAY=" + ",".join(["MO"] * 300) + "\n", "rule_too_long"),
        (TEN + "RRULE:FREQ=OFTEN\n", "rule_not_readable"),
        (TEN + "RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY\n", "bad_time"),
        (TEN + "RRULE:FREQ=DAILY;UNTIL=20250101\n", "no_occurrence"),
        (TEN + "RRULE:FREQ=DAILY;COUNT=999999999\n", "rule_value_invalid"),
        (TEN + "EXDATE:soon\nRRULE:FREQ=DAILY\n", "bad_time"),
        ("DTSTART;TZID=Mars/Base:20260302T100000\nDURATION:PT1H\n", "unknown_zone"),
        ("DTSTART:20260302T100000\nDURATION:PT1H\n", "time_without_zone"),
        ("DTSTART;VALUE=DATE:20260302\n", "time_without_zone"),
        ("DTSTART:20260302T100000Z\n", "end_not_after_start"),
        ("DTSTART:20260302T100000Z\nDURATION:-PT1H\n", "end_not_after_start"),
        ("DTSTART:20260302T100000Z\nDTEND;VALUE=DATE:20260303\n", "bad_time"),
        ("DTSTART:99991231T235900Z\nDURATION:P1D\n", "invalid_time"),
        ("SUMMARY:no time at all\n", "bad_time"),
    ],
)
def test_bad_event__beside_a_good_one__is_the_only_refusal(lines, code):
    parsed = calendar(event(lines, "bad"), event(TEN, "good"))
    assert codes(parsed) == [code]
    assert parsed.refused[0].uid == "bad"
    assert parsed.refused[0].detail.endswith(".")
    assert [e.uid for e in parsed.events] == ["good"]


def test_zone__that_changes_each_second__is_refused_with_little_work():
    bomb = (
        "BEGIN:VTIMEZONE\nTZID:Bomb\nBEGIN:STANDARD\nDTSTART:16010101T000000\n"
        "RRULE:FREQ=SECONDLY\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nEND:STANDARD\nEND:VTIMEZONE\n"
    )

    def read() -> None:
        parsed = calendar(bomb, event("DTSTART;TZID=Bomb:20260302T100000\nDURATION:PT1H\n"))
        assert codes(parsed) == ["unknown_zone"]

    assert calls_made_by(read) < MAX_CALLS


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY", "FREQ=DAILY;COUNT=100000", "FREQ=YEARLY;INTERVAL=1000",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=WEEKLY;BYSETPOS=40;BYDAY=MO",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6;BYYEARDAY=1",
    ],
)  # fmt: skip
def test_rule__endless_or_contradictory__is_expanded_with_little_work(rule):
    def count() -> None:
        (series,) = calendar(event(TEN + f"RRULE:{rule}\n")).series
        assert len(occurrences(series, UNTIL)) < 700

    assert calls_made_by(count) < MAX_CALLS


def test_all_series__of_one_file__have_a_common_limit():
    many = calendar(*(event(TEN + "RRULE:FREQ=DAILY\n", f"u{n}") for n in range(6)))
    with pytest.raises(LimitExceededError) as refused:
        with_single_events(many, datetime(2076, 1, 1, tzinfo=UTC))
    assert refused.value.code == "too_many_dates"


@pytest.mark.parametrize(
    "raw,code",
    [
        ("BEGIN:VCALENDAR\nSUMMARY:Caf\u00e9\nEND:VCALENDAR\n".encode("latin-1"), "not_utf8"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 15_000 + b"END:VCALENDAR\n",
         "unreadable_calendar"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\nEND:VEVENT\n" * 20_000 + b"END:VCALENDAR\n",
         "too_many_components"),
        (b"BEGIN:VCALENDAR\n" + b"X" * 10 * 1024 * 1024 + b"END:VCALENDAR\n", "file_too_large"),
        (b"\x00\x01\x02", "unreadable_calendar"),
        (b"BEGIN:VCALENDAR\nUID:\0\nEND:VCALENDAR\n", "unreadable_calendar"),
    ],
    ids=["latin-1", "nested", "many", "large", "binary", "nul"],
)  # fmt: skip
def test_file__unreadable_or_too_large__is_refused(raw, code):
    with pytest.raises(MeetingRoomsError) as refused:
        parse_calendar(raw)
    assert refused.value.code == code


@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_file__with_any_line_ends_and_a_byte_order_mark__is_read(ends, bom):
    text = "BEGIN:VCALENDAR\n" + event("SUMMARY:Caf\u00e9 \n  folded\n" + TEN) + "END:VCALENDAR\n"
    (found,) = parse_calendar(bom + text.replace("\n", ends).encode()).events
    assert found.title == "Caf\u00e9 folded"


LINES = st.sampled_from(
    ["BEGIN:VEVENT", "END:VEVENT", "UID:u", "UID:v", "LOCATION:R", "SUMMARY:x", "SUMMARY;",
     "DTSTART:20260302T100000Z", "DTSTART;VALUE=DATE:20260302", "DTSTART;TZID=Own:20260302T100000",
     "DTSTART:", "DTEND:20260302T110000Z", "DURATION:PT1H", "DURATION:P", "RRULE:FREQ=DAILY",
     "RRULE:", "RRULE:FREQ=MONTHLY;BYDAY=99MO", "RRULE:FREQ=DAILY;BYMONTHDAY=0", "EXDATE:20260303",
     "EXDATE;VALUE=DATE:20260303", "RDATE;VALUE=PERIOD:20260303T100000Z/PT1H", "RDATE:x",
     "RECURRENCE-ID:20260303T100000Z", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260303T100000Z",
     "RECURRENCE-ID:", "ORGANIZER:mailto:a@b", "ORGANIZER;CN=:", "CLASS:PRIVATE",
     "STATUS:CANCELLED",
     "BEGIN:VTIMEZONE", "TZID:Own", "BEGIN:STANDARD", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200",
     "END:STANDARD", "END:VTIMEZONE", "BEGIN:VALARM", "END:VALARM", " folded", ":",
     ";=", "X-A;B=\"c"]
)  # fmt: skip


@given(st.lists(LINES, max_size=40))
def test_file__of_any_lines__raises_only_a_refusal(lines):
    text = "\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])
    try:
        parsed = parse_calendar(text.encode(), zone_of=lambda _room: HELSINKI)
    except UnreadableCalendarError:
        return
    singles = with_single_events(parsed, UNTIL)
    assert all(e.interval for e in singles.events)
