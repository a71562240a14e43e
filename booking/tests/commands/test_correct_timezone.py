"""Correcting a building's time zone: halls, holds, past times, ends, and cancelled bookings."""

from datetime import UTC, datetime

import pytest

from booking.commands.cancel_booking import cancel_booking
from booking.commands.correct_timezone import (
    LOCAL_TIME_LOST,
    Keep,
    ZoneReport,
    correct_timezone,
    recheck_timezone,
)
from booking.commands.hold_slot import hold_slot
from booking.commands.restore_booking import restore_booking
from booking.domain.booking_data import BookingData
from booking.domain.states import BookingState
from booking.models import Booking
from booking.tests.commands.test_multi_room import book_both
from booking.tests.factories import NOW, at, book, hours
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.models import Building
from rooms.tests.factories import building, divide, floor, room

pytestmark = pytest.mark.django_db
THEN = FixedClock(NOW)


def corrected(house: Building, zone: str, keep: Keep = Keep.LOCAL) -> ZoneReport:
    """Correct the zone; return the report, after checking that a dry run reports the same."""

    def run(*, is_dry_run: bool) -> ZoneReport:
        return correct_timezone(
            actor=actor(role=Role.ADMIN), building=house.slug, timezone=zone, keep=keep,
            is_dry_run=is_dry_run, clock=THEN,
        )  # fmt: skip

    expected = run(is_dry_run=True)
    assert run(is_dry_run=False) == expected
    return expected


def stored(booking: BookingData) -> BookingData:
    return Booking.objects.get(pk=booking.id).as_data()


def assert_stayed(report: ZoneReport, booking: BookingData, local_start: str) -> None:
    now = stored(booking)
    assert booking.id in {one.id for one in report.clashing}
    assert (now.interval, now.local_start, now.flags) == (
        booking.interval,
        local_start,
        (LOCAL_TIME_LOST,),
    )


@pytest.mark.parametrize("runs_in", ["hall", "half"])
def test_zone__of_a_divisible_hall__reports_clashes_of_the_hall_with_its_parts(runs_in):
    house = building()
    hall, half, other = (room(on=floor(house)) for _ in range(3))
    divide(hall, half, other)
    places = {"hall": (hall, half), "half": (half, hall)}[runs_in]
    book(places[0], Interval(at(9, 50), at(11)))
    mine = book(places[1], hours(12, 13))  # 14:00, which is 10:00 UTC in Dubai
    beside = book(other, hours(13, 14))
    report = corrected(house, "Asia/Dubai")
    assert [one.id for one in report.clashing] == [mine.id]
    assert_stayed(report, mine, "2026-03-12T16:00:00")
    assert stored(beside).interval == hours(11, 12)


def test_zone__one_part_that_stays__keeps_the_other_parts_of_its_booking():
    house, ann = building(), actor("Ann")
    one, other = room(on=floor(house)), room(on=floor(house))
    book(one, Interval(at(9, 50), at(11)))
    parts = book_both(one, other, hours(12, 13), ann)
    after = book(other, hours(14, 15))  # 16:00, which is 12:00 UTC in Dubai: there the parts stay
    report = corrected(house, "Asia/Dubai")
    assert len(report.clashing) == 3
    for booking in (*parts, after):
        assert stored(booking).interval == booking.interval
        assert stored(booking).flags == (LOCAL_TIME_LOST,)


def test_zone__holds_and_check_ins__keep_the_expiry_and_move_the_deadline():
    house = building()
    on = floor(house)
    held = hold_slot(actor=actor("Ann"), room=room(on=on).uuid, interval=hours(15, 16), clock=THEN)
    mine = book(room(on=on), hours(15, 16))
    report = corrected(house, "Europe/London")
    assert [pair[1].interval for pair in report.changed] == [hours(17, 18)] * 2
    assert stored(held).lapses_at == held.lapses_at
    assert (mine.lapses_at, stored(mine).lapses_at) == (at(15, 10), at(17, 10))


def test_zone__booking_of_which_only_the_end_moves__keeps_its_local_end():
    house = building(timezone="Europe/Lisbon")
    night = Interval(*(datetime(2026, 3, 29, hour, 30, tzinfo=UTC) for hour in (0, 2)))
    mine = book(room(on=floor(house)), night)
    assert mine.local_end == "2026-03-29T03:30:00"
    corrected(house, "Africa/Abidjan")
    later = stored(mine)
    assert later.interval == Interval(night.start, night.end.replace(hour=3))
    assert later.local_end == mine.local_end


def test_recheck__second_occurrence_of_a_repeated_local_time__changes_nothing():
    house = building()
    twice = Interval(*(datetime(2026, 10, 25, 1, minute, tzinfo=UTC) for minute in (0, 45)))
    mine = book(room(on=floor(house)), twice)  # 03:00 to 03:45 in Helsinki, the second time
    assert (mine.local_start[11:16], mine.local_end[11:16]) == ("03:00", "03:45")
    admin = actor(role=Role.ADMIN)
    assert recheck_timezone(actor=admin, building=house.slug, clock=THEN) == ZoneReport((), ())


def test_zone__local_times_without_an_interval_in_the_new_zone__keep_their_instants():
    house = building()
    start, end = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    mine = book(room(on=floor(house)), Interval(start, end.replace(minute=15)))
    assert (mine.local_start[11:16], mine.local_end[11:16]) == ("03:30", "03:15")
    report = corrected(house, "Asia/Dubai")
    assert_stayed(report, mine, "2026-10-25T04:30:00")


def test_zone__that_puts_a_booking_into_the_past__keeps_its_instants():
    house = building()
    on = floor(house)
    mine, just = book(room(on=on), hours(12, 13)), book(room(on=on), hours(17, 18))
    report = corrected(house, "Asia/Tokyo")  # 14:00 there was 05:00 UTC, and 19:00 is now
    assert [one.id for one in report.clashing] == [mine.id]
    assert_stayed(report, mine, "2026-03-12T21:00:00")
    assert stored(mine).lapses_at == mine.lapses_at
    assert stored(just).interval == hours(10, 11)


def test_zone__cancelled_booking__is_restored_at_its_local_time():
    house, ann = building(), actor("Ann")
    dogger = room(on=floor(house))
    mine = book(dogger, hours(15, 16), by=ann)
    cancel_booking(actor=ann, booking_id=mine.id, clock=THEN)
    corrected(house, "Europe/London")
    book(dogger, hours(15, 16))  # its old slot
    back = restore_booking(actor=ann, booking_id=mine.id, clock=THEN)
    assert (back.interval, back.local_start) == (hours(17, 18), mine.local_start)
    assert (back.state, back.lapses_at) == (BookingState.CONFIRMED, at(17, 10))


def test_zone__keeping_instants__gives_a_cancelled_booking_its_new_local_times():
    house, ann = building(), actor("Ann")
    mine = book(room(on=floor(house)), hours(15, 16), by=ann)
    cancel_booking(actor=ann, booking_id=mine.id, clock=THEN)
    corrected(house, "Europe/London", Keep.INSTANT)
    back = restore_booking(actor=ann, booking_id=mine.id, clock=THEN)
    assert (back.interval, back.local_start) == (hours(15, 16), "2026-03-12T15:00:00")


def test_zone__of_one_of_two_buildings__keeps_the_interval_of_a_booking_in_both():
    house, annex, ann = building(), building(), actor("Ann")
    dogger, blue = room(on=floor(house)), room(on=floor(annex))
    here, there = book_both(dogger, blue, hours(15, 16), ann)
    report = corrected(house, "Europe/London")
    assert_stayed(report, here, "2026-03-12T15:00:00")
    assert stored(there) == there


def test_zone__of_one_of_two_buildings_keeping_instants__reports_no_clash():
    house, ann = building(), actor("Ann")
    here, _ = book_both(room(on=floor(house)), room(), hours(15, 16), ann)
    report = corrected(house, "Europe/London", Keep.INSTANT)
    assert (report.clashing, len(report.changed)) == ((), 1)
    assert (stored(here).local_start, stored(here).flags) == ("2026-03-12T15:00:00", ())
