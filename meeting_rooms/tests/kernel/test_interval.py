from datetime import datetime, timedelta

import pytest

from booking.domain.free_time import gaps, merge, nearest_fits
from booking.tests.factories import at, hours
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval


def test_interval__without_zone__is_refused_with_an_example():
    with pytest.raises(InvalidCommandError, match="no time zone") as refused:
        Interval.of(datetime(2026, 3, 1, 9), at(10))
    assert refused.value.code == "time_without_zone"


@pytest.mark.parametrize("end", [at(9), at(8)])
def test_interval__end_not_after_start__is_refused(end):
    with pytest.raises(InvalidCommandError) as refused:
        Interval.of(at(9), end)
    assert refused.value.code == "end_not_after_start"


def test_merge__touching_and_nested__become_one():
    assert merge([hours(3, 4), hours(1, 3), hours(2, 3), hours(6, 7)]) == [hours(1, 4), hours(6, 7)]


def test_gaps__around_and_between__are_the_rest():
    assert gaps([hours(1, 2), hours(3, 9)], hours(0, 8)) == [hours(0, 1), hours(2, 3)]
    assert gaps([], hours(0, 8)) == [hours(0, 8)]
    assert gaps([hours(0, 8)], hours(0, 8)) == []


def test_nearest_fits__both_sides__nearest_first():
    free = [hours(0, 2), hours(3, 8)]
    assert nearest_fits(hours(2, 3), free) == [hours(1, 2), hours(3, 4)]
    assert nearest_fits(Interval(at(2), at(2) + timedelta(hours=3)), free) == [hours(3, 6)]
