from datetime import date, datetime

import pytest

from booking.series.domain.rule_words import explain, ordinal_choices
from booking.tests.series.series_fixture import NEW_YORK, parsed


@pytest.mark.parametrize(
    "start, text, sentence",
    [
        (
            "1997-08-05",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;COUNT=4",
            "Every 2 weeks on Tuesday and Sunday, 4 times",
        ),
        ("1997-08-05", "FREQ=WEEKLY;COUNT=1", "Every week on Tuesday, once"),
        (
            "1997-08-05",
            "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;UNTIL=19970808",
            "Every day on working days (Monday to Friday), until 8 August 1997",
        ),
        ("2026-01-31", "FREQ=MONTHLY;BYMONTHDAY=-1", "Every month on the last day"),
        (
            "2007-01-15",
            "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
            "Every month on the 15th and the 30th, 5 times; months without a 30th skip it",
        ),
        (
            "2014-09-29",
            "FREQ=MONTHLY;BYDAY=5MO;COUNT=3",
            "Every month on the fifth Monday, 3 times; months without a fifth Monday are skipped",
        ),
        (
            "1997-09-29",
            "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-2;COUNT=7",
            "Every month on Monday and Tuesday, only the second to last of these in the month, "
            "7 times",
        ),
        (
            "1997-09-02",
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=5",
            "Every month on Friday if that is the 13th, 5 times",
        ),
        ("1997-06-10", "FREQ=YEARLY;BYMONTH=6,7", "Every year on the 10th in June and July"),
        (
            "1997-05-19",
            "FREQ=YEARLY;BYDAY=20MO;COUNT=3",
            "Every year on the 20th Monday of the year, 3 times",
        ),
        (
            "1997-05-12",
            "FREQ=YEARLY;BYWEEKNO=20",
            "Every year on Monday in the 20th week",
        ),
        (
            "1997-01-01",
            "FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100;COUNT=10",
            "Every 3 years on the first and the 100th day of the year, 10 times",
        ),
        (
            "2024-12-31",
            "FREQ=YEARLY;BYYEARDAY=366",
            "Every year on the 366th day of the year; only in leap years",
        ),
        (
            "2026-01-31",
            "FREQ=MONTHLY;BYMONTH=1,3",
            "Every month on the 31st in January and March",
        ),
    ],
)
def test_explain__a_rule__is_one_sentence(start, text, sentence):
    first = datetime.fromisoformat(f"{start}T09")
    rule = parsed(text, first, horizon=date.max)
    assert explain(rule, start=first, zone=NEW_YORK) == sentence


def test_ordinal_choices__a_fourth_that_is_the_last__gives_both():
    assert ordinal_choices(date(2026, 2, 23)) == (
        ("fourth Monday", "BYDAY=4MO"),
        ("last Monday", "BYDAY=-1MO"),
    )
    assert ordinal_choices(date(2026, 3, 23)) == (("fourth Monday", "BYDAY=4MO"),)
