from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from meeting_rooms.kernel.interval import Interval
from rooms.domain.opening import is_open_throughout

HELSINKI = ZoneInfo("Europe/Helsinki")
THURSDAY, FRIDAY = 3, 4
OFFICE = {THURSDAY: (time(8), time(18))}
NIGHT = {THURSDAY: (time(8), time(0)), FRIDAY: (time(0), time(6))}


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=HELSINKI).astimezone(UTC)


@pytest.mark.parametrize(
    "hours,start,end,expected",
    [
        ({}, local(12, 3), local(12, 4), True),
        (OFFICE, local(12, 8), local(12, 18), True),
        (OFFICE, local(12, 7, 59), local(12, 9), False),
        (OFFICE, local(12, 17), local(12, 18, 1), False),
        (OFFICE, local(13, 9), local(13, 10), False),
        (NIGHT, local(12, 23), local(13, 1), True),
        (NIGHT, local(12, 23), local(13, 7), False),
    ],
)
def test_opening__each_edge__is_judged_in_local_time(hours, start, end, expected):
    assert is_open_throughout(hours, HELSINKI, Interval(start, end)) is expected
