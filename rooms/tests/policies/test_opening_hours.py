from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import day_bounds
from rooms.domain.effective_policy import DayException, EffectivePolicy
from rooms.domain.opening_hours import (
    intervals_on,
    is_open_throughout,
    joined,
    opening_before,
)

HELSINKI, BERLIN = ZoneInfo("Europe/Helsinki"), ZoneInfo("Europe/Berlin")
THURSDAY, FRIDAY, SUNDAY = 3, 4, 6
OFFICE = EffectivePolicy(hours={THURSDAY: ((time(8), time(18)),)})
NIGHT = EffectivePolicy(hours={THURSDAY: ((time(8), time(0)),), FRIDAY: ((time(0), time(6)),)})
LUNCH = EffectivePolicy(hours={THURSDAY: ((time(8), time(12)), (time(13), time(18)))})
PARTY = EffectivePolicy(
    exceptions={date(2026, 3, 13): DayException("Party", ((time(12), time(14)),))}
)
CLOSED = EffectivePolicy(exceptions={date(2026, 3, 13): DayException("Holiday")})


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=HELSINKI).astimezone(UTC)


@pytest.mark.parametrize(
    "book,start,end,expected",
    [
        (EffectivePolicy(), local(12, 3), local(12, 4), True),
        (OFFICE, local(12, 8), local(12, 18), True),
        (OFFICE, local(12, 7, 59), local(12, 9), False),
        (OFFICE, local(12, 17), local(12, 18, 1), False),
        (OFFICE, local(13, 9), local(13, 10), False),
        (NIGHT, local(12, 23), local(13, 0), True),
        (NIGHT, local(12, 23), local(13, 1), True),
        (NIGHT, local(12, 23), local(13, 7), False),
        (LUNCH, local(12, 11), local(12, 12), True),
        (LUNCH, local(12, 11), local(12, 14), False),
        (PARTY, local(13, 12), local(13, 14), True),
        (PARTY, local(13, 11), local(13, 14), False),
        (PARTY, local(12, 11), local(13, 0), True),
        (CLOSED, local(12, 23), local(13, 0), True),
        (CLOSED, local(12, 23), local(13, 1), False),
    ],
)
def test_opening__each_edge__is_evaluated_in_local_time(book, start, end, expected):
    assert is_open_throughout(book, HELSINKI, Interval(start, end)) is expected


def test_periods__that_touch_or_overlap__join():
    periods = [(time(12), time(14)), (time(11), time(12)), (time(16), time(0)), (time(20), time(1))]
    assert joined(periods) == ((time(11), time(14)), (time(16), time(0)))


@pytest.mark.parametrize("day,hours", [((2026, 3, 29), 23), ((2026, 10, 25), 25)])
def test_day__of_a_clock_change__has_its_real_length(day, hours):
    bounds = day_bounds(date(*day), BERLIN)
    assert bounds.duration.total_seconds() == hours * 3600
    assert is_open_throughout(
        EffectivePolicy(hours={SUNDAY: ((time(0), time(0)),)}), BERLIN, bounds
    )


def test_day__without_a_midnight__begins_at_one():
    santiago = ZoneInfo("America/Santiago")
    bounds = day_bounds(date(2026, 9, 6), santiago)
    assert bounds.start.astimezone(santiago).time() == time(1)
    assert bounds.duration.total_seconds() == 23 * 3600


def test_opening__local_time_skipped_by_the_clock__is_the_instant_of_the_change():
    book = EffectivePolicy(hours={SUNDAY: ((time(2, 30), time(6)),)})
    [open_interval] = intervals_on(book, BERLIN, date(2026, 3, 29))
    assert open_interval.start == datetime(2026, 3, 29, 1, tzinfo=UTC)  # 02:00 becomes 03:00
    assert is_open_throughout(book, BERLIN, open_interval)


def test_closing__local_time_that_occurs_twice__is_the_second():
    book = EffectivePolicy(hours={SUNDAY: ((time(1), time(2, 30)),)})
    [open_interval] = intervals_on(book, BERLIN, date(2026, 10, 25))
    assert open_interval.duration.total_seconds() == 2.5 * 3600
    assert is_open_throughout(book, BERLIN, open_interval)


def test_opening_before__an_instant__is_the_start_of_its_period():
    assert opening_before(LUNCH, HELSINKI, local(12, 14)) == local(12, 13)
    assert opening_before(LUNCH, HELSINKI, local(12, 12)) is None
    assert opening_before(EffectivePolicy(), HELSINKI, local(12, 12)) is None


TIMES = st.integers(0, 47).map(lambda half: time(half // 2, 30 * (half % 2)))
PERIODS = st.tuples(TIMES, TIMES).filter(lambda p: p[0] < p[1] or p[1] == time(0))
HOURS = st.dictionaries(st.integers(0, 6), st.lists(PERIODS, max_size=3).map(joined), min_size=1)
ZONES = st.sampled_from(["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "UTC"])
CHANGES = [datetime(2026, 3, 28, 12), datetime(2026, 9, 5, 12), datetime(2026, 10, 3, 12)]


@given(HOURS, ZONES, st.sampled_from(CHANGES), st.integers(0, 192), st.integers(1, 96))
def test_opening__against_the_wall_clock__agrees_at_every_quarter(hours, name, around, at, length):
    """Near a clock change, an interval is open if every quarter's local time is in the hours."""
    zone, book = ZoneInfo(name), EffectivePolicy(hours=hours)
    start = around.replace(tzinfo=UTC) + timedelta(minutes=15 * at)
    quarters = [start + timedelta(minutes=15 * n) for n in range(length)]
    interval = Interval(start, start + timedelta(minutes=15 * length))

    def shows_open(instant: datetime) -> bool:
        local = instant.astimezone(zone)
        return any(
            opens <= local.time() and (local.time() < closes or closes == time(0))
            for opens, closes in hours.get(local.weekday(), ())
        )

    is_open_by_wall_clock = all(map(shows_open, quarters))
    assert is_open_throughout(book, zone, interval) is is_open_by_wall_clock
