"""Cases 40 to 50 and 59: the RRULE of a series."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from booking.series.domain.occurrences import expand, refuse_self_overlap
from booking.series.domain.parse_rule import parse_rule
from booking.series.domain.rule_words import explain, ordinal_choices
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.tests.work import calls_made_by

NEW_YORK = ZoneInfo("America/New_York")
HELSINKI = ZoneInfo("Europe/Helsinki")
HOUR = timedelta(hours=1)
MAX_CALLS = 100_000  # of Python functions; the rules below need up to 46,000


def dates(text: str, start: datetime, *, horizon: date | None = None) -> list[str]:
    """Return the local dates of a series; assert that each keeps its time of day."""
    rule = parse_rule(text, start=start, zone=NEW_YORK, horizon=horizon)
    occurrences = expand(rule, start=start, length=HOUR, zone=NEW_YORK, horizon=horizon).occurrences
    assert {at.recurrence_id.time() for at in occurrences} == {start.time()}
    shown = [at.interval.start.astimezone(NEW_YORK).replace(tzinfo=None) for at in occurrences]
    assert shown == [at.recurrence_id for at in occurrences]
    return [f"{at.recurrence_id:%Y-%m-%d}" for at in occurrences]


def nine_o_clock(*parts: int) -> datetime:
    return datetime(*parts, 9)


@pytest.mark.parametrize(
    "week_start, expected",
    [
        ("MO", ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]),
        ("SU", ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]),
    ],
)
def test_case_040__first_day_of_the_week__changes_the_dates(week_start, expected):
    """Every other week: the first day of the week changes the dates."""
    rule = f"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST={week_start}"
    assert dates(rule, nine_o_clock(1997, 8, 5)) == expected


def test_case_041__first_friday_of_each_month__gives_ten_dates():
    """The first Friday of each month, ten times."""
    assert dates("FREQ=MONTHLY;COUNT=10;BYDAY=1FR", nine_o_clock(1997, 9, 5)) == [
        *("1997-09-05", "1997-10-03", "1997-11-07", "1997-12-05", "1998-01-02"),
        *("1998-02-06", "1998-03-06", "1998-04-03", "1998-05-01", "1998-06-05"),
    ]


def test_case_042__second_to_last_working_day__is_found_in_each_month():
    """The second to last working day of each month."""
    rule = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=7"
    assert dates(rule, nine_o_clock(1997, 9, 29)) == [
        *("1997-09-29", "1997-10-30", "1997-11-27", "1997-12-30"),
        *("1998-01-29", "1998-02-26", "1998-03-30"),
    ]


def test_case_043__friday_the_13th__leaves_out_the_first_day():
    """A first day that the rule does not match is no date of the series."""
    rule = "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=5"
    assert dates(rule, nine_o_clock(1997, 9, 2)) == [
        *("1998-02-13", "1998-03-13", "1998-11-13", "1999-08-13", "2000-10-13"),
    ]


def test_case_044__monthly_on_the_31st__skips_short_months():
    """Monthly on the 31st skips short months, as its explanation says."""
    text, start = "FREQ=MONTHLY;UNTIL=20261231", nine_o_clock(2026, 1, 31)
    months = [1, 3, 5, 7, 8, 10, 12]
    assert dates(text, start) == [f"2026-{month:02}-31" for month in months]
    sentence = explain(parse_rule(text, start=start, zone=NEW_YORK), start=start, zone=NEW_YORK)
    assert sentence == (
        "Every month on the 31st, until 31 December 2026; months without a 31st are skipped"
    )


def test_case_044__last_day_of_the_month__is_in_every_month():
    """Monthly on the last day takes every month."""
    assert dates("FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20260531", nine_o_clock(2026, 1, 31)) == [
        *("2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"),
    ]


def test_case_045__the_15th_and_the_30th__skip_the_30th_in_february():
    """Monthly on the 15th and the 30th: February has no 30th."""
    assert dates("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", nine_o_clock(2007, 1, 15)) == [
        *("2007-01-15", "2007-01-30", "2007-02-15", "2007-03-15", "2007-03-30"),
    ]


def test_case_046__29_february__is_in_leap_years_only():
    """Yearly on 29 February has dates in leap years only, as its explanation says."""
    text, start = "FREQ=YEARLY;UNTIL=20321231", nine_o_clock(2024, 2, 29)
    assert dates(text, start) == ["2024-02-29", "2028-02-29", "2032-02-29"]
    sentence = explain(parse_rule(text, start=start, zone=NEW_YORK), start=start, zone=NEW_YORK)
    assert sentence == "Every year on 29 February, until 31 December 2032; only in leap years"


def test_case_047__fifth_monday__is_offered_beside_the_last_monday():
    """A start on a fifth Monday offers two rules: the fifth Monday and the last Monday."""
    fifth, last = ordinal_choices(date(2014, 9, 29))
    assert (fifth, last) == (("fifth Monday", "BYDAY=5MO"), ("last Monday", "BYDAY=-1MO"))
    start = nine_o_clock(2014, 9, 29)
    assert dates(f"FREQ=MONTHLY;{fifth[1]};COUNT=3", start) == [
        *("2014-09-29", "2014-12-29", "2015-03-30"),
    ]
    assert dates(f"FREQ=MONTHLY;{last[1]};COUNT=4", start) == [
        *("2014-09-29", "2014-10-27", "2014-11-24", "2014-12-29"),
    ]


def test_case_048__first_friday_on_the_1st__is_included():
    """A first Friday that is the 1st counts, and the end date is included."""
    assert ordinal_choices(date(2014, 8, 1)) == (("first Friday", "BYDAY=1FR"),)
    assert dates("FREQ=MONTHLY;BYDAY=1FR;UNTIL=20141003", nine_o_clock(2014, 8, 1)) == [
        *("2014-08-01", "2014-09-05", "2014-10-03"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20261231",
        "FREQ=WEEKLY;BYMONTH=2;BYDAY=MO;BYSETPOS=5;COUNT=2",
        "FREQ=WEEKLY;BYDAY=SU;UNTIL=20260307",  # from Monday to Saturday
    ],
)
def test_case_049__rule_without_a_date__is_refused(text):
    """A rule without a single date is refused with few function calls."""
    start = nine_o_clock(2026, 3, 2)
    rule = parse_rule(text, start=start, zone=NEW_YORK)

    def refuse() -> pytest.ExceptionInfo[InvalidCommandError]:
        with pytest.raises(InvalidCommandError) as refused:
            expand(rule, start=start, length=HOUR, zone=NEW_YORK)
        return refused

    assert calls_made_by(refuse) < MAX_CALLS
    refused = refuse()
    assert refused.value.code == "no_occurrence"
    assert refused.value.facts["first"] == ("2026-03-08" if "BYDAY=SU" in text else None)


def test_case_050__daily_meeting_of_25_hours__is_refused():
    """A series whose dates overlap is refused, and the refusal names the first two dates."""
    start = nine_o_clock(2026, 5, 4)
    rule = parse_rule("FREQ=DAILY;COUNT=3", start=start, zone=NEW_YORK)
    too_long = expand(rule, start=start, length=timedelta(hours=25), zone=NEW_YORK)
    with pytest.raises(InvalidCommandError) as refused:
        refuse_self_overlap(too_long)
    assert refused.value.code == "overlaps_itself"
    assert refused.value.facts == {
        "occurrences": ["2026-05-04T09:00:00", "2026-05-05T09:00:00"],
        "at_most_minutes": 24 * 60,
    }


def test_case_050__daily_meeting_of_24_hours__does_not_overlap():
    """Daily meetings of one local day are adjacent, also over a clock change."""
    start = datetime(2026, 3, 7, 9)
    rule = parse_rule("FREQ=DAILY;COUNT=3", start=start, zone=NEW_YORK)
    full_days = expand(rule, start=start, length=timedelta(hours=24), zone=NEW_YORK)
    refuse_self_overlap(full_days)
    lengths = [at.interval.duration for at in full_days.occurrences]
    assert lengths == [timedelta(hours=23), timedelta(hours=24), timedelta(hours=24)]


@pytest.mark.parametrize("until", ["20260330", "20260329T213000Z", "20260330T003000"])
def test_case_059__until_in_utc__keeps_the_last_local_day(until):
    """UNTIL is in UTC, in which the date of the last local day may be one day earlier."""
    start = datetime(2026, 3, 28, 0, 30)
    rule = parse_rule(f"FREQ=DAILY;UNTIL={until}", start=start, zone=HELSINKI)
    assert rule.until == datetime(2026, 3, 29, 21, 30, tzinfo=UTC)
    assert rule.as_text() == "FREQ=DAILY;UNTIL=20260329T213000Z"
    found = expand(rule, start=start, length=HOUR, zone=HELSINKI).occurrences
    assert [at.recurrence_id.day for at in found] == [28, 29, 30]
    assert found[-1].interval.start == rule.until
