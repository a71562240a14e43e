from datetime import date, datetime, time, timedelta
from itertools import islice

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given

from booking.series.domain.rule import Frequency, Rule
from booking.series.domain.rule_dates import matching_dates
from booking.tests.series.series_fixture import STARTS, expanded, parsed, rules

MAX_COMPARED = 60  # dateutil searches up to the year 9999 for a further date

# Examples of RFC 5545, 3.8.5.3: start, RRULE, number of dates, the first dates (or all).
RFC_EXAMPLES = [
    ("19970902", "FREQ=DAILY;COUNT=10", 10, "0902 0903 0904 0905 0906 0907 0908 0909 0910 0911"),
    ("19970902", "FREQ=DAILY;UNTIL=19971224T000000Z", 113, "0902 0903 0904 0905"),
    ("19970902", "FREQ=DAILY;INTERVAL=10;COUNT=5", 5, "0902 0912 0922 1002 1012"),
    ("19980101", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", 93, "0101 0102 0103 0104"),
    (
        "19980101",
        "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        93,
        "0101 0102 0103 0104",
    ),
    (
        "19970902",
        "FREQ=WEEKLY;COUNT=10",
        10,
        "0902 0909 0916 0923 0930 1007 1014 1021 1028 1104",
    ),
    ("19970902", "FREQ=WEEKLY;UNTIL=19971224T000000Z", 17, "0902 0909 0916"),
    (
        "19970902",
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        10,
        "0902 0904 0909 0911 0916 0918 0923 0925 0930 1002",
    ),
    (
        "19970901",
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        25,
        "0901 0903 0905 0915 0917 0919 0929 1001 1003 1013",
    ),
    (
        "19970902",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        8,
        "0902 0904 0916 0918 0930 1002 1014 1016",
    ),
    ("19970905", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR", 4, "0905 1003 1107 1205"),
    (
        "19970907",
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        10,
        "0907 0928 1102 1130 0104 0125 0301 0329 0503 0531",
    ),
    ("19970922", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", 6, "0922 1020 1117 1222 0119 0216"),
    (
        "19970902",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        10,
        "0902 0915 1002 1015 1102 1115 1202 1215 0102 0115",
    ),
    (
        "19970930",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        10,
        "0930 1001 1031 1101 1130 1201 1231 0101 0131 0201",
    ),
    (
        "19970910",
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        10,
        "0910 0911 0912 0913 0914 0915 0310 0311 0312 0313",
    ),
    (
        "19970610",
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        10,
        "0610 0710 0610 0710 0610 0710 0610 0710 0610 0710",
    ),
    (
        "19970101",
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        10,
        "0101 0410 0719 0101 0409 0718 0101 0410 0719 0101",
    ),
    ("19970519", "FREQ=YEARLY;BYDAY=20MO;COUNT=3", 3, "0519 0518 0517"),
    ("19970512", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3", 3, "0512 0511 0517"),
    (
        "19970313",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH;COUNT=7",
        7,
        "0313 0320 0327 0305 0312 0319 0326",
    ),
    (
        "19970913",
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13;COUNT=10",
        10,
        "0913 1011 1108 1213 0110 0207 0307 0411 0509 0613",
    ),
    (
        "19961105",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3",
        3,
        "1105 1107 1102",
    ),
    ("19970904", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", 3, "0904 1007 1106"),
]


@pytest.mark.parametrize("start, text, count, first", RFC_EXAMPLES)
def test_expand__examples_of_rfc_5545__have_its_dates(start, text, count, first):
    found = expanded(text, datetime.fromisoformat(f"{start}T09")).occurrences
    days = [f"{at.recurrence_id:%m%d}" for at in found]
    expected = first.split()
    assert (len(days), days[: len(expected)]) == (count, expected)
    assert {at.recurrence_id.hour for at in found} == {9}


@given(text=rules(ends=False), start=STARTS)
def test_matching_dates__any_rule__equal_those_of_dateutil(text, start):
    last = start.date() + timedelta(days=4 * 366)
    rule = parsed(text, start, horizon=last)
    assume(not dateutil_differs(rule, start.date()))
    ours = list(islice(matching_dates(rule, start.date(), last=last), MAX_COMPARED))
    theirs = islice(rrulestr(text, dtstart=start), len(ours))
    assert [at.date() for at in theirs] == ours


def dateutil_differs(rule: Rule, start: date) -> bool:
    """Return whether dateutil differs for a reason that `rule_dates` names."""
    is_mixed = len({bool(entry.ordinal) for entry in rule.by_day}) > 1
    is_counted_from_start = rule.freq is Frequency.WEEKLY and bool(rule.by_set_pos)
    begins_mid_week = start.weekday() != rule.week_start
    if rule.by_week_no and (rule.week_start != 0 or -53 in rule.by_week_no):
        return True
    return is_mixed or (is_counted_from_start and begins_mid_week)


def dates_of(text: str, start: date, last: date) -> list[str]:
    rule = parsed(text, datetime.combine(start, time(9)), horizon=last)
    return [f"{day:%Y-%m-%d}" for day in matching_dates(rule, start, last=last)]


def test_matching_dates__the_last_week_over_new_year__include_its_days_in_the_next_year():
    """Counted by hand: with weeks from Wednesday, week 52 of 2017 is 27 December to 2 January."""
    text = "FREQ=YEARLY;WKST=WE;BYDAY=MO;BYWEEKNO=52"
    found = dates_of(text, date(2015, 1, 1), date(2018, 12, 31))
    assert found == ["2015-12-28", "2016-12-26", "2018-01-01", "2018-12-31"]


def test_matching_dates__numbered_and_plain_weekdays__are_combined():
    found = dates_of("FREQ=MONTHLY;BYDAY=MO,1TU", date(2026, 6, 1), date(2026, 6, 30))
    assert found == [f"2026-06-{day:02}" for day in (1, 2, 8, 15, 22, 29)]


def test_matching_dates__positions_in_a_first_week__count_from_its_beginning():
    thursday = date(2026, 6, 4)
    found = dates_of("FREQ=WEEKLY;BYDAY=MO,TH,FR;BYSETPOS=2", thursday, date(2026, 6, 12))
    assert found == ["2026-06-04", "2026-06-11"]


def test_matching_dates__weeks_over_new_year__belong_to_the_year_of_the_date():
    found = dates_of("FREQ=YEARLY;BYWEEKNO=53;BYDAY=TH,FR", date(2020, 1, 1), date(2021, 12, 31))
    assert found == ["2020-12-31", "2021-01-01"]
    assert found == dates_of(
        "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=TH,FR", date(2020, 12, 31), date(2021, 1, 1)
    )


def test_matching_dates__a_week_without_weekdays__fall_on_the_weekday_of_the_start():
    found = dates_of("FREQ=YEARLY;BYWEEKNO=20", date(1997, 5, 12), date(1999, 12, 31))
    assert found == ["1997-05-12", "1998-05-11", "1999-05-17"]


def test_matching_dates__with_count__stop_at_the_count():
    rule = parsed("FREQ=DAILY;COUNT=2")
    found = matching_dates(rule, date(1997, 9, 2), last=date(9000, 1, 1))
    assert list(found) == [date(1997, 9, 2), date(1997, 9, 3)]
