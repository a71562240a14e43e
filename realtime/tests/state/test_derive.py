from datetime import timedelta

import pytest

from booking.tests.factories import NOW, at
from realtime.state.derive import ENDING_LEAD, SENSOR_STALE_AFTER, derive
from realtime.state.live_state import Closure, Occupancy, RoomStatus, SensorHealth
from realtime.tests.factories import seen, slot

NOBODY = Occupancy()
MILLISECOND = timedelta(milliseconds=1)


def test_derive__nothing_booked__is_free_without_end():
    now = derive([], [], NOBODY, NOW)
    assert (now.status, now.until, now.next_change_at) == (RoomStatus.FREE, None, None)


def test_derive__booking_to_come__is_free_until_then():
    now = derive([slot(at(11), at(12))], [], NOBODY, NOW)
    assert (now.status, now.until, now.next_change_at) == (RoomStatus.FREE, at(11), at(11))


def test_derive__case_2_back_to_back__flips_at_the_instant_without_a_free_moment():
    agenda = [slot(at(9), NOW, title="A"), slot(NOW, at(11), title="B")]
    before, after = (derive(agenda, [], NOBODY, t) for t in (NOW - MILLISECOND, NOW))
    assert (before.status, before.current.title) == (RoomStatus.OCCUPIED, "A")
    assert (after.status, after.current.title) == (RoomStatus.OCCUPIED, "B")


def test_derive__running_and_not_checked_in__waits_until_the_grace_instant():
    agenda = [slot(at(9, 55), at(11), waits_until=at(10, 5))]
    now = derive(agenda, [], NOBODY, NOW)
    assert (now.status, now.until) == (RoomStatus.RESERVED, at(10, 5))
    assert derive(agenda, [], NOBODY, at(10, 5)).status is RoomStatus.FREE


def test_derive__waiting_and_sensed__is_occupied():
    agenda = [slot(at(9, 55), at(11), waits_until=at(10, 5))]
    assert derive(agenda, [], seen(3), NOW).status is RoomStatus.OCCUPIED


def test_derive__people_without_booking__is_occupied_for_nobody_knows_how_long():
    now = derive([slot(at(12), at(13))], [], seen(2), NOW)
    assert (now.status, now.until) == (RoomStatus.OCCUPIED, None)


def test_derive__silent_sensor__proves_nothing():
    later = NOW + SENSOR_STALE_AFTER
    now = derive([], [], seen(2), later)
    assert (now.status, now.occupancy.sensor) == (RoomStatus.FREE, SensorHealth.STALE)
    assert derive([], [], seen(2), later - MILLISECOND).status is RoomStatus.OCCUPIED


@pytest.mark.parametrize("left,status", [
    (ENDING_LEAD + MILLISECOND, RoomStatus.OCCUPIED),
    (ENDING_LEAD, RoomStatus.ENDING),
])  # fmt: skip
def test_derive__last_minutes__are_ending(left, status):
    assert derive([slot(at(9), NOW + left)], [], NOBODY, NOW).status is status


def test_derive__last_minutes_before_the_next_booking__are_not_ending():
    agenda = [slot(at(9), at(10, 5)), slot(at(10, 5), at(11))]
    now = derive(agenda, [], NOBODY, NOW)
    assert (now.status, now.until) == (RoomStatus.OCCUPIED, at(11))


def test_derive__closed__wins_over_everything():
    now = derive([slot(at(9), at(11))], [Closure(at(9), at(15), "Paint")], seen(5), NOW)
    assert (now.status, now.until, now.closure.reason) == (
        RoomStatus.OUT_OF_SERVICE, at(15), "Paint",
    )  # fmt: skip


def test_derive__closure_after_the_booking__is_no_free_moment():
    now = derive([slot(at(9), at(10, 5))], [Closure(at(10, 5), None, "Paint")], NOBODY, NOW)
    assert (now.status, now.until) == (RoomStatus.OCCUPIED, None)


def test_derive__next_change__is_the_first_instant_that_matters():
    agenda = [slot(at(9, 58), at(11), waits_until=at(10, 8))]
    assert derive(agenda, [], NOBODY, NOW).next_change_at == at(10, 8)
    assert derive(agenda, [], seen(1), NOW).next_change_at == at(10, 8)
    assert derive([slot(at(9), at(11))], [], NOBODY, NOW).next_change_at == at(10, 50)
