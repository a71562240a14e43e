from datetime import UTC

import pytest
from hypothesis import given

from booking.series.domain.parse_rule import MAX_RULE_LENGTH
from booking.tests.series.series_fixture import START, STARTS, parsed, refusal, rules


@pytest.mark.parametrize(
    "text, code",
    [
        ("FREQ=HOURLY;COUNT=2", "finer_than_a_day"),
        ("FREQ=MINUTELY;COUNT=2", "finer_than_a_day"),
        ("FREQ=SECONDLY;COUNT=2", "finer_than_a_day"),
        ("FREQ=DAILY;BYHOUR=9;COUNT=2", "finer_than_a_day"),
        ("FREQ=DAILY;BYEASTER=0;COUNT=2", "rule_part_unknown"),
        ("FREQ=DAILY;X-NOTE=1;COUNT=2", "rule_not_readable"),
        ("", "rule_not_readable"),
        ("FREQ", "rule_not_readable"),
        ("FREQ=DAILY;;COUNT=2", "rule_not_readable"),
        ("FREQ=DAILY;COUNT=2;COUNT=3", "rule_not_readable"),
        ("FREQ=DAILY;COUNT=2\nEXDATE=1", "rule_not_readable"),
        ("COUNT=2", "rule_value_invalid"),
        ("FREQ=FORTNIGHTLY;COUNT=2", "rule_value_invalid"),
        ("FREQ=DAILY;INTERVAL=0;COUNT=2", "rule_value_invalid"),
        ("FREQ=DAILY;INTERVAL=1001;COUNT=2", "rule_value_invalid"),
        ("FREQ=DAILY;INTERVAL=1,2;COUNT=2", "rule_value_invalid"),
        ("FREQ=DAILY;COUNT=0", "rule_value_invalid"),
        ("FREQ=DAILY;COUNT=-1", "rule_value_invalid"),
        ("FREQ=DAILY;COUNT=99999999999", "rule_value_invalid"),
        ("FREQ=DAILY;COUNT=٣", "rule_value_invalid"),
        ("FREQ=DAILY;BYMONTH=13;COUNT=2", "rule_value_invalid"),
        ("FREQ=DAILY;BYMONTH=-1;COUNT=2", "rule_value_invalid"),
        ("FREQ=MONTHLY;BYMONTHDAY=0;COUNT=2", "rule_value_invalid"),
        ("FREQ=MONTHLY;BYMONTHDAY=32;COUNT=2", "rule_value_invalid"),
        ("FREQ=MONTHLY;BYDAY=0MO;COUNT=2", "rule_value_invalid"),
        ("FREQ=MONTHLY;BYDAY=XX;COUNT=2", "rule_value_invalid"),
        ("FREQ=WEEKLY;WKST=1;COUNT=2", "rule_value_invalid"),
        ("FREQ=DAILY;UNTIL=2026-12-31", "rule_value_invalid"),
        ("FREQ=DAILY;UNTIL=20260230", "rule_value_invalid"),
        ("FREQ=DAILY;UNTIL=20261231T250000Z", "rule_value_invalid"),
        ("FREQ=WEEKLY;BYMONTHDAY=1;COUNT=2", "rule_part_not_allowed"),
        ("FREQ=WEEKLY;BYDAY=1MO;COUNT=2", "rule_part_not_allowed"),
        ("FREQ=MONTHLY;BYDAY=6MO;COUNT=2", "rule_part_not_allowed"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=6MO;COUNT=2", "rule_part_not_allowed"),
        ("FREQ=YEARLY;BYDAY=54MO;COUNT=2", "rule_part_not_allowed"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO;COUNT=2", "rule_part_not_allowed"),
        ("FREQ=MONTHLY;BYWEEKNO=20;COUNT=2", "rule_part_not_allowed"),
        ("FREQ=DAILY;BYYEARDAY=20;COUNT=2", "rule_part_not_allowed"),
        ("FREQ=MONTHLY;BYSETPOS=1;COUNT=2", "rule_part_not_allowed"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20261231", "count_and_until"),
        ("FREQ=DAILY", "endless_rule"),
    ],
)
def test_parse_rule__an_invalid_rule__is_refused_with_its_code(text, code):
    assert refusal(code, lambda: parsed(text)).detail.endswith(".")


def test_parse_rule__a_long_rule__is_refused_before_parsing():
    text = "FREQ=YEARLY;COUNT=2;BYYEARDAY=" + ",".join(map(str, range(1, 200)))
    refused = refusal("rule_too_long", lambda: parsed(text))
    assert refused.facts == {"length": len(text), "at_most": MAX_RULE_LENGTH}


@pytest.mark.parametrize("end", ["UNTIL=20261231;", ""], ids=["in UTC", "endless, when cut"])
def test_parse_rule__a_rule_too_long_in_canonical_form__is_refused(end):
    def yearly(days: int) -> str:
        return f"FREQ=YEARLY;{end}BYYEARDAY=" + ",".join(map(str, range(100, 100 + days)))

    last = START.date()
    assert len(yearly(110)) < len(yearly(115)) <= MAX_RULE_LENGTH
    parsed(yearly(110), horizon=last)
    refused = refusal("rule_too_long", lambda: parsed(yearly(115), horizon=last))
    assert refused.facts["length"] > MAX_RULE_LENGTH


def test_parse_rule__an_unusual_spelling__is_written_canonically():
    text = "rrule:count=4;wkst=su;interval=02;byday=su,+2tu,TU,SU;freq=monthly"
    assert parsed(text).as_text() == ("FREQ=MONTHLY;INTERVAL=2;COUNT=4;BYDAY=TU,2TU,SU;WKST=SU")


@pytest.mark.parametrize(
    "start, code",
    [
        (START.replace(tzinfo=UTC), "time_with_zone"),
        (START.replace(microsecond=1), "start_not_possible"),
        (START.replace(year=9999), "start_not_possible"),
    ],
)
def test_parse_rule__an_invalid_start__is_refused(start, code):
    refusal(code, lambda: parsed("FREQ=DAILY;COUNT=2", start))


@given(text=rules(), start=STARTS)
def test_as_text__any_rule__parses_to_the_same_rule(text, start):
    rule = parsed(text, start)
    assert parsed(rule.as_text(), start) == rule
