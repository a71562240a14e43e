from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from booking.series.domain.occurrences import (
    MAX_OCCURRENCES,
    BeyondHorizon,
    Expansion,
    expand,
    refuse_self_overlap,
    split_at,
)
from booking.series.domain.parse_rule import parse_rule
from booking.series.domain.rule import Rule
from booking.tests.series.series_fixture import (
    HOUR,
    NEW_YORK,
    START,
    STARTS,
    expanded,
    parsed,
    refusal,
    rules,
)
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.local_time import WallKind

ZONES = [
    ZoneInfo(name)
    for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago")
]


def test_expand__more_than_the_limit__reports_the_number_and_the_last_fitting_date():
    refused = refusal("series_too_long", lambda: expanded("FREQ=DAILY;COUNT=1000"))
    assert refused.facts == {"occurrences": 1000, "at_most": 366, "last_fitting": "1998-09-02"}
    assert len(expanded(f"FREQ=DAILY;COUNT={MAX_OCCURRENCES}").occurrences) == MAX_OCCURRENCES
    bomb = "FREQ=DAILY;UNTIL=99991231T000000Z"
    assert "14641 or more" in refusal("series_too_long", lambda: expanded(bomb)).detail


def test_expand__beyond_the_horizon__is_refused_with_the_first_date():
    refused = refusal(
        "beyond_horizon",
        lambda: expanded("FREQ=WEEKLY;COUNT=10", horizon=date(1997, 9, 16)),
    )
    assert refused.facts == {
        "last_day": "1997-09-16",
        "first_beyond": "1997-09-23",
        "fitting": 3,
    }


def test_expand__beyond_the_horizon_with_truncate__is_cut_and_reported():
    found = expanded(
        "FREQ=WEEKLY;COUNT=5", horizon=date(1997, 9, 16), beyond=BeyondHorizon.TRUNCATE
    )
    assert [at.recurrence_id.day for at in found.occurrences] == [2, 9, 16]
    assert found.truncated == (datetime(1997, 9, 23, 9), datetime(1997, 9, 30, 9))


def test_expand__nothing_before_the_horizon_with_truncate__is_refused():
    refused = refusal(
        "beyond_horizon",
        lambda: expanded(
            "FREQ=WEEKLY;COUNT=5", horizon=date(1997, 9, 1), beyond=BeyondHorizon.TRUNCATE
        ),
    )
    assert refused.facts["fitting"] == 0


@pytest.mark.parametrize(
    "text", ["FREQ=YEARLY;INTERVAL=1000;COUNT=2", "FREQ=YEARLY;UNTIL=29991231"]
)
def test_expand__a_rule_beyond_the_search_limit__is_refused_and_not_cut(text):
    refused = refusal("beyond_horizon", lambda: expanded(text))
    assert refused.facts["first_beyond"] is None


def test_expand__an_endless_rule__ends_only_at_the_horizon():
    found = expanded("FREQ=WEEKLY", horizon=date(1997, 9, 16))
    assert (len(found.occurrences), found.truncated) == (3, ())
    endless = parsed("FREQ=WEEKLY", horizon=date(1997, 9, 16))
    refusal("endless_rule", lambda: expand(endless, start=START, length=HOUR, zone=NEW_YORK))


@pytest.mark.parametrize("until", ["19970901", "00010101T000000Z"])
def test_expand__until_before_the_start__is_refused_with_the_first_possible_date(until):
    refused = refusal("no_occurrence", lambda: expanded(f"FREQ=WEEKLY;UNTIL={until}"))
    assert refused.facts["first"] == "1997-09-02"
    assert f"UNTIL={until[:8]}" in refused.facts["rule"]


def test_expand__no_length__is_refused():
    rule = parsed("FREQ=DAILY;COUNT=2")
    for length in (timedelta(0), -HOUR):
        refusal(
            "end_not_after_start",
            lambda length=length: expand(rule, start=START, length=length, zone=NEW_YORK),
        )


@pytest.mark.parametrize("until", ["20260308", "20260308T073000Z"])
def test_expand__until_a_skipped_time__includes_that_day(until):
    start = datetime(2026, 3, 6, 2, 30)
    found = expanded(f"FREQ=DAILY;UNTIL={until}", start).occurrences
    assert [(at.recurrence_id.day, at.shift.value) for at in found] == [
        (6, "plain"),
        (7, "plain"),
        (8, "gap"),
    ]


@pytest.mark.parametrize("cut, first_after", [("08T02:30", 8), ("08T02:45", 9), ("08T03:15", 9)])
@pytest.mark.parametrize("end", ["COUNT=5", "UNTIL=20260310"])
def test_split_at__near_a_skipped_time__loses_and_repeats_no_date(cut, first_after, end):
    start = datetime(2026, 3, 6, 2, 30)
    rule = parsed(f"FREQ=DAILY;{end}", start)
    parts = split_at(rule, start=start, cut=datetime.fromisoformat(f"2026-03-{cut}"), zone=NEW_YORK)
    days = [
        [
            at.recurrence_id.day
            for at in expand(part, start=at, length=HOUR, zone=NEW_YORK).occurrences
        ]
        for part, at in ((parts.before, start), (parts.after, parts.after_start))
    ]
    assert days == [list(range(6, first_after)), list(range(first_after, 11))]


def test_refuse_self_overlap__a_single_date__is_accepted():
    refuse_self_overlap(expanded("FREQ=DAILY;COUNT=1"))


def test_split_at__no_date_on_one_side__is_refused():
    rule = parsed("FREQ=DAILY;COUNT=3")
    for cut, code in [(START, "nothing_before"), (START + timedelta(days=9), "nothing_after")]:
        refusal(code, lambda cut=cut: split_at(rule, start=START, cut=cut, zone=NEW_YORK))


def test_split_at__until__ends_the_first_part_a_second_before_the_second():
    rule = parsed("FREQ=WEEKLY;UNTIL=19970930")
    parts = split_at(rule, start=START, cut=datetime(1997, 9, 10), zone=NEW_YORK)
    assert parts.before.as_text() == "FREQ=WEEKLY;UNTIL=19970916T125959Z"
    assert (parts.after, parts.after_start) == (rule, datetime(1997, 9, 16, 9))


def expansion_of(rule: Rule, start: datetime, zone: ZoneInfo, **options) -> Expansion:
    """Expand the rule; reject the example if the rule has no date or too many."""
    try:
        return expand(rule, start=start, length=HOUR, zone=zone, **options)
    except InvalidCommandError as refused:
        assume(refused.code not in ("no_occurrence", "beyond_horizon", "series_too_long"))
        raise


@given(text=rules(), start=STARTS, zone=st.sampled_from(ZONES), limit=st.integers(1, 40))
def test_expand__any_rule__is_sorted_unique_bounded_and_at_local_time(text, start, zone, limit):
    rule = parse_rule(text, start=start, zone=zone)
    found = expansion_of(rule, start, zone, limit=limit).occurrences
    assert 0 < len(found) <= limit
    assert len(found) == rule.count
    ids = [at.recurrence_id for at in found]
    assert ids == sorted(set(ids))
    begins = [at.interval.start for at in found]
    assert begins == sorted(set(begins))
    for at in found:
        assert at.recurrence_id.time() == start.time()
        shown = at.interval.start.astimezone(zone).replace(tzinfo=None, fold=0)
        if at.shift is not WallKind.GAP:
            assert shown == at.recurrence_id
    refuse_self_overlap(Expansion(found))


@given(
    text=rules(ends=False),
    end=st.one_of(
        st.integers(2, 30).map(lambda n: f"COUNT={n}"),
        st.integers(30, 900).map(lambda n: f"in {n} days"),
    ),
    start=STARTS,
    zone=st.sampled_from(ZONES),
    place=st.floats(0, 1),
)
def test_split_at__any_cut__has_all_dates_in_the_two_parts(text, end, start, zone, place):
    if not end.startswith("COUNT"):
        end = f"UNTIL={start + timedelta(days=int(end.split()[1])):%Y%m%d}"
    rule = parse_rule(f"{text};{end}", start=start, zone=zone)
    all_dates = expansion_of(rule, start, zone).occurrences
    assume(len(all_dates) > 1)
    cut = all_dates[1 + int(place * (len(all_dates) - 2))].recurrence_id
    parts = split_at(rule, start=start, cut=cut, zone=zone)
    before = expansion_of(parts.before, start, zone).occurrences
    after = expansion_of(parts.after, parts.after_start, zone).occurrences
    assert before + after == all_dates
    assert before[-1].recurrence_id < cut == after[0].recurrence_id
    for part, at in ((parts.before, start), (parts.after, parts.after_start)):
        assert parse_rule(part.as_text(), start=at, zone=zone) == part
