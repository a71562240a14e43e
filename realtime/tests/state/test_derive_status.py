from datetime import UTC, datetime, timedelta

import pytest

from booking.tests.factories import NOW, at
from booking.tests.room_rules import daily, rules
from realtime.state.derive_status import ENDING_LEAD, SENSOR_STALE_AFTER
from realtime.state.live_state import Closure, Occupancy, RoomStatus, SensorHealth
from realtime.tests.factories import derived, seen, slot
from rooms.domain.effective_policy import Approval, BookableBy

NO_PEOPLE = Occupancy()
MILLISECOND = timedelta(milliseconds=1)


def test_derive__no_booking__is_free_without_end():
    now = derived([], [], NO_PEOPLE, NOW)
    assert (now.status, now.until, now.next_change_at) == (RoomStatus.FREE, None, None)


def test_derive__later_booking__is_free_until_its_start():
    now = derived([slot(at(11), at(12))], [], NO_PEOPLE, NOW)
    assert (now.status, now.until) == (RoomStatus.FREE, at(11))
    # a minute later the shortest booking no longer fits
    assert now.next_change_at == at(10, 59) + MILLISECOND


def test_derive__case_2_back_to_back__flips_at_the_instant_without_a_free_moment():
    agenda = [slot(at(9), NOW, title="A"), slot(NOW, at(11), title="B")]
    before, after = (derived(agenda, [], NO_PEOPLE, t) for t in (NOW - MILLISECOND, NOW))
    assert (before.status, before.current.title) == (RoomStatus.OCCUPIED, "A")
    assert (after.status, after.current.title) == (RoomStatus.OCCUPIED, "B")


def test_derive__running_and_not_checked_in__waits_until_the_grace_instant():
    agenda = [slot(at(9, 55), at(11), waits_until=at(10, 5))]
    now = derived(agenda, [], NO_PEOPLE, NOW)
    assert (now.status, now.until) == (RoomStatus.RESERVED, at(10, 5))
    assert derived(agenda, [], NO_PEOPLE, at(10, 5)).status is RoomStatus.FREE


def test_derive__waiting_and_sensed__is_occupied():
    agenda = [slot(at(9, 55), at(11), waits_until=at(10, 5))]
    assert derived(agenda, [], seen(3), NOW).status is RoomStatus.OCCUPIED


def test_derive__people_without_booking__is_occupied_without_known_end():
    now = derived([slot(at(12), at(13))], [], seen(2), NOW)
    assert (now.status, now.until) == (RoomStatus.OCCUPIED, None)


def test_derive__silent_sensor__proves_nothing():
    later = NOW + SENSOR_STALE_AFTER
    now = derived([], [], seen(2), later)
    assert (now.status, now.occupancy.sensor) == (RoomStatus.FREE, SensorHealth.STALE)
    assert derived([], [], seen(2), later - MILLISECOND).status is RoomStatus.OCCUPIED


@pytest.mark.parametrize("left,status", [
    (ENDING_LEAD + MILLISECOND, RoomStatus.OCCUPIED),
    (ENDING_LEAD, RoomStatus.ENDING),
])  # fmt: skip
def test_derive__last_minutes__are_ending(left, status):
    assert derived([slot(at(9), NOW + left)], [], NO_PEOPLE, NOW).status is status


def test_derive__last_minutes_before_the_next_booking__are_not_ending():
    agenda = [slot(at(9), at(10, 5)), slot(at(10, 5), at(11))]
    now = derived(agenda, [], NO_PEOPLE, NOW)
    assert (now.status, now.until) == (RoomStatus.OCCUPIED, at(11))


def test_derive__closed_and_booked__is_closed():
    now = derived([slot(at(9), at(11))], [Closure(at(9), at(15), "Paint")], seen(5), NOW)
    assert (now.status, now.until, now.closure.reason) == (
        RoomStatus.OUT_OF_SERVICE, at(15), "Paint",
    )  # fmt: skip


def test_derive__closure_after_the_booking__has_no_free_moment_between():
    now = derived([slot(at(9), at(10, 5))], [Closure(at(10, 5), None, "Paint")], NO_PEOPLE, NOW)
    assert (now.status, now.until) == (RoomStatus.OCCUPIED, None)


def test_derive__next_change__is_the_earliest_change():
    agenda = [slot(at(9, 58), at(11), waits_until=at(10, 8))]
    assert derived(agenda, [], NO_PEOPLE, NOW).next_change_at == at(10, 8)
    assert derived(agenda, [], seen(1), NOW).next_change_at == at(10, 8)
    assert derived([slot(at(9), at(11))], [], NO_PEOPLE, NOW).next_change_at == at(10, 50)


OFFICE = {"hours": daily("08:00", "18:00")}  # in Helsinki, two hours ahead of UTC


def status(now, agenda=(), closures=(), **book):
    found = derived(agenda, closures, NO_PEOPLE, now, room=rules(**book))
    return found.status, found.until, found.refusal


def test_derive__outside_opening_hours__is_closed_until_it_opens():
    opens = at(6) + timedelta(days=1)
    evening = derived([], [], NO_PEOPLE, at(16, 30), room=rules(**OFFICE))
    assert (evening.status, evening.until) == (RoomStatus.CLOSED, opens)
    assert (evening.refusal, evening.next_change_at) == ("outside_opening_hours", opens)
    assert status(opens, **OFFICE)[0] is RoomStatus.FREE


def test_derive__near_closing_time__is_free_while_the_shortest_booking_fits():
    office = {**OFFICE, "min_minutes": 30}
    last = at(15, 30)
    before = derived([], [], NO_PEOPLE, at(15), room=rules(**office))
    assert (before.status, before.until) == (RoomStatus.FREE, at(16))
    assert before.next_change_at == last + MILLISECOND
    assert status(last, **office)[0] is RoomStatus.FREE
    assert status(last + MILLISECOND, **office) == (
        RoomStatus.CLOSED, at(6) + timedelta(days=1), "outside_opening_hours",
    )  # fmt: skip


def test_derive__closed_on_sunday__is_closed_until_monday():
    weekdays = {day: periods for day, periods in daily("10:00", "18:00").items() if day != 6}
    sunday = datetime(2026, 3, 15, 11, 29, tzinfo=UTC)
    monday = datetime(2026, 3, 16, 8, tzinfo=UTC)
    assert status(sunday, hours=weekdays)[:2] == (RoomStatus.CLOSED, monday)


def test_derive__meeting_runs_past_closing_time__shows_the_meeting():
    night = [slot(at(19), at(21))]
    assert status(at(20), night, **OFFICE)[:2] == (RoomStatus.OCCUPIED, at(21))
    # The room closes when the meeting ends, so it does not count down to "free".
    assert status(at(20, 55), night, **OFFICE)[0] is RoomStatus.OCCUPIED


def test_derive__too_little_time_before_the_next_booking__is_closed_until_it_ends():
    agenda = [slot(at(10, 20), at(11))]
    assert status(NOW, agenda, min_minutes=20)[0] is RoomStatus.FREE
    late = NOW + MILLISECOND
    assert status(late, agenda, min_minutes=20) == (RoomStatus.CLOSED, at(11), "slot_taken")


def test_derive__gap__is_free_before_and_after_it():
    agenda = [slot(at(9), at(9, 55)), slot(at(12), at(13))]
    gap = {"gap_minutes": 10}
    assert status(NOW, agenda, **gap) == (RoomStatus.CLOSED, at(10, 5), "gap_too_short")
    assert status(at(10, 5), agenda, **gap) == (RoomStatus.FREE, at(11, 50), None)


def test_derive__notice_required__is_never_free():
    assert status(NOW, notice_minutes=60) == (RoomStatus.CLOSED, None, "too_short_notice")


def test_derive__one_booking_a_day__is_closed_until_midnight():
    agenda = [slot(at(7), at(8))]
    midnight = at(22)
    assert status(NOW, agenda, one_booking_a_day=True) == (
        RoomStatus.CLOSED, midnight, "day_taken",
    )  # fmt: skip


def test_derive__only_some_people_may_book__is_free():
    for who in BookableBy:
        assert status(NOW, bookable_by=who, approval=Approval.ALWAYS)[0] is RoomStatus.FREE


def test_derive__between_two_steps__is_free():
    """Steps are for planning: a booking that begins at once needs no start on a step."""
    assert status(at(10, 7), **OFFICE, step_minutes=30)[0] is RoomStatus.FREE


def test_derive__people_in_a_closed_room__is_occupied():
    found = derived([], [], seen(1, at(20)), at(20), room=rules(**OFFICE))
    assert (found.status, found.refusal) == (RoomStatus.OCCUPIED, None)
