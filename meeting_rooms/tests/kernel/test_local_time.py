from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.local_time import (
    WallKind,
    day_bounds,
    day_of,
    hour_rows,
    interval_of,
    label,
    resolve,
    resolve_pair,
    resolve_strict,
)

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
HAVANA = ZoneInfo("America/Havana")
SANTIAGO = ZoneInfo("America/Santiago")
APIA = ZoneInfo("Pacific/Apia")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
ZONES = st.sampled_from(
    [BERLIN, NEW_YORK, HAVANA, SANTIAGO, LORD_HOWE]
    + [ZoneInfo(name) for name in ("Asia/Kathmandu", "Africa/Cairo", "Europe/Dublin", "UTC")]
)
DAYS = st.dates(date(2000, 1, 1), date(2040, 12, 31))
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2040, 12, 31)).map(
    lambda t: t.replace(microsecond=0)
)


def z(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_resolve__a_plain_time__is_unchanged():
    found = resolve(datetime(2026, 7, 1, 9), BERLIN)
    assert (found.kind, found.instant) == (WallKind.PLAIN, z(2026, 7, 1, 7))
    assert found.local == found.asked == datetime(2026, 7, 1, 9)
    assert found.choices == (z(2026, 7, 1, 7),)


def test_resolve__in_a_gap__returns_the_requested_and_the_shifted_time():
    for fold in (0, 1):
        found = resolve(datetime(2026, 3, 29, 2, 30), BERLIN, fold=fold)
        assert (found.kind, found.instant) == (WallKind.GAP, z(2026, 3, 29, 1, 30))
        assert found.asked == datetime(2026, 3, 29, 2, 30)
        assert found.local == datetime(2026, 3, 29, 3, 30)


def test_resolve__in_a_fold__is_the_first_unless_chosen():
    both = (z(2026, 10, 25, 0, 30), z(2026, 10, 25, 1, 30))
    for fold in (0, 1):
        found = resolve(datetime(2026, 10, 25, 2, 30), BERLIN, fold=fold)
        assert (found.kind, found.choices, found.instant) == (WallKind.FOLD, both, both[fold])


@pytest.mark.parametrize(
    "clock, kind",
    [((1, 59, 59), "plain"), ((2, 0, 0), "gap"), ((2, 59, 59), "gap"), ((3, 0, 0), "plain")],
)
def test_resolve__at_the_edges_of_a_gap__is_half_open(clock, kind):
    assert resolve(datetime(2026, 3, 29, *clock), BERLIN).kind == kind


@pytest.mark.parametrize(
    "local, code",
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "time_with_zone"),
        (datetime(1, 1, 1), "invalid_time"),
    ],
)
def test_resolve__impossible_time__is_refused(local, code):
    with pytest.raises(InvalidCommandError) as refused:
        resolve(local, BERLIN)
    assert refused.value.code == code


def test_resolve_strict__a_gap__offers_the_shifted_time():
    with pytest.raises(InvalidCommandError) as refused:
        resolve_strict(datetime(2026, 3, 8, 2, 30), NEW_YORK)
    assert refused.value.code == "time_does_not_exist"
    assert refused.value.facts == {
        "asked": "2026-03-08T02:30:00",
        "zone": "America/New_York",
        "offered": {
            "local": "2026-03-08T03:30:00",
            "instant": "2026-03-08T07:30:00+00:00",
            "abbreviation": "EDT",
            "fold": 0,
        },
    }
    assert "03:30" in refused.value.detail


def test_resolve_strict__a_fold__offers_both_instants_and_accepts_a_choice():
    twice = datetime(2026, 11, 1, 1, 30)
    with pytest.raises(InvalidCommandError) as refused:
        resolve_strict(twice, NEW_YORK)
    assert refused.value.code == "time_is_ambiguous"
    choices = refused.value.facts["choices"]
    assert [choice["abbreviation"] for choice in choices] == ["EDT", "EST"]
    for choice in choices:
        answered = resolve_strict(twice, NEW_YORK, fold=choice["fold"])
        assert answered.instant == datetime.fromisoformat(choice["instant"])


def test_interval_of__a_start_in_the_gap__moves_both_ends():
    begin, finish = resolve_pair(datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 3, 15), BERLIN)
    assert (begin.local, finish.local) == (
        datetime(2026, 3, 29, 3, 30),
        datetime(2026, 3, 29, 4, 15),
    )
    assert finish.instant - begin.instant == timedelta(minutes=45)


@pytest.mark.parametrize(
    "hours, ends_at", [(23, (3, 30, 2, 30)), (24, (3, 30, 2, 30)), (25, (3, 30, 3, 30))]
)
def test_interval_of__a_start_in_the_gap__does_not_reach_the_next_day(hours, ends_at):
    start = datetime(2026, 3, 29, 2, 30)
    _, finish = resolve_pair(start, start + timedelta(hours=hours), BERLIN)
    assert finish.local == datetime(2026, *ends_at)


def test_interval_of__an_end_in_the_gap__keeps_the_real_length():
    wanted = interval_of(datetime(2026, 3, 29, 1, 30), datetime(2026, 3, 29, 2, 30), BERLIN)
    assert wanted.duration == timedelta(hours=1)


def test_interval_of__both_ends_in_a_fold__ends_after_the_start():
    start, end = datetime(2026, 11, 1, 1, 15), datetime(2026, 11, 1, 1, 45)
    first = interval_of(start, end, NEW_YORK)
    second = interval_of(start, end, NEW_YORK, fold=1)
    over_the_change = interval_of(start, end, NEW_YORK, end_fold=1)
    assert first.duration == second.duration == timedelta(minutes=30)
    assert second.start - first.start == timedelta(hours=1)
    assert over_the_change.duration == timedelta(minutes=90)


def test_interval_of__an_end_before_the_start__is_refused():
    with pytest.raises(InvalidCommandError) as refused:
        interval_of(datetime(2026, 5, 1, 10), datetime(2026, 5, 1, 9), BERLIN)
    assert refused.value.code == "end_not_after_start"


def test_day_bounds__a_repeated_midnight__begins_at_the_first():
    day = day_bounds(date(2026, 11, 1), HAVANA)
    assert (day.start, day.duration) == (z(2026, 11, 1, 4), timedelta(hours=25))
    assert [row.label for row in hour_rows(date(2026, 11, 1), HAVANA)][:3] == [
        "00:00 CDT",
        "00:00 CST",
        "01:00",
    ]


def test_day_bounds__a_date_that_the_zone_skipped__is_refused_with_the_next():
    with pytest.raises(InvalidCommandError) as refused:
        day_bounds(date(2011, 12, 30), APIA)
    assert refused.value.code == "day_does_not_exist"
    assert refused.value.facts["offered"] == "2011-12-31"
    assert day_bounds(date(2011, 12, 29), APIA).end == day_bounds(date(2011, 12, 31), APIA).start


def test_day_bounds__the_last_day_of_the_calendar__is_refused():
    with pytest.raises(InvalidCommandError) as refused:
        day_bounds(date.max, BERLIN)
    assert refused.value.code == "invalid_time"


def test_hour_rows__a_jump_of_half_an_hour__has_a_row_of_half_an_hour():
    rows = hour_rows(date(2026, 4, 5), LORD_HOWE)
    assert [row.label for row in rows][:4] == ["00:00", "01:00", "01:30 +1030", "02:00"]
    assert rows[2].interval.duration == timedelta(minutes=30)


def test_label__on_request_or_in_a_fold__has_the_abbreviation():
    assert label(z(2026, 7, 1, 7), BERLIN) == "09:00"
    assert label(z(2026, 7, 1, 7), BERLIN, always_abbreviation=True) == "09:00 CEST"
    assert label(z(2026, 10, 25, 1, 30), BERLIN) == "02:30 CET"


@given(local=TIMES, zone=ZONES, fold=st.sampled_from([0, 1]))
@example(local=datetime(2026, 10, 4, 2, 15), zone=LORD_HOWE, fold=0)
@example(local=datetime(2026, 4, 5, 1, 45), zone=LORD_HOWE, fold=1)
def test_resolve__any_time__is_the_local_time_of_its_instants(local, zone, fold):
    found = resolve(local, zone, fold=fold)
    for choice in found.choices:
        assert choice.astimezone(zone).replace(tzinfo=None, fold=0) == found.local
    assert found.instant in found.choices
    assert (found.local != found.asked) == (found.kind is WallKind.GAP)
    assert len(found.choices) == (2 if found.kind is WallKind.FOLD else 1)


@given(day=DAYS, zone=ZONES)
@example(day=date(2026, 9, 6), zone=SANTIAGO)
@example(day=date(2026, 10, 4), zone=LORD_HOWE)
def test_days__any_day__are_adjacent_and_covered_by_rows(day, zone):
    bounds, following = day_bounds(day, zone), day_bounds(day + timedelta(days=1), zone)
    assert bounds.end == following.start
    assert day_of(bounds.start, zone) == day
    assert day_of(bounds.end - timedelta(seconds=1), zone) == day
    assert day_of(bounds.start - timedelta(seconds=1), zone) < day
    rows = hour_rows(day, zone)
    assert (rows[0].interval.start, rows[-1].interval.end) == (bounds.start, bounds.end)
    assert all(a.interval.end == b.interval.start for a, b in pairwise(rows))
    assert len({row.label for row in rows}) == len(rows)
    assert all(row.interval.duration <= timedelta(hours=1) for row in rows)
