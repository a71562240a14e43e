"""Case 84: series without check-ins."""

from datetime import date, datetime, timedelta

import pytest

from booking.commands.check_in import check_in
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.domain.states import BookingState
from booking.models import AuditEntry, Booking
from booking.repository import series_to_review
from booking.series.book_series import BookSeries, book_series
from booking.series.review_no_shows import Review, review_no_shows
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from rooms.models import Closure, Policy, Room
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db
MONDAY = datetime.fromisoformat("2026-02-02T06:00:00+00:00")


def daily(where: Room, by, count: int = 8):
    start = datetime.fromisoformat("2026-02-03T10:00")
    wanted = BookSeries(where.uuid, start, 60, f"FREQ=DAILY;COUNT={count}", "Stand-up")
    return book_series(actor=by, wanted=wanted, clock=FixedClock(MONDAY))


def expire_after_days(where: Room, days: int) -> FixedClock:
    """Expire the bookings of so many days without a check-in; return the clock after them."""
    clock = FixedClock(MONDAY + timedelta(days=days, hours=12))
    expire_due_bookings(room=where.uuid, clock=clock)
    return clock


def count_future_bookings(clock: FixedClock) -> int:
    return Booking.objects.filter(takes_slot=True, during__startswith__gt=clock.now()).count()


def test_case_084__three_no_shows_in_a_row__withdraw_the_series_after_a_notice():
    """Three no-shows in a row"""
    dogger = room()
    report = daily(dogger, actor())
    clock = expire_after_days(dogger, 2)
    assert review_no_shows(series_id=report.series_id, clock=clock) is Review.ATTENDED
    clock = expire_after_days(dogger, 3)
    assert series_to_review(now=clock.now()) == [report.series_id]
    assert review_no_shows(series_id=report.series_id, clock=clock) is Review.WARNED
    assert count_future_bookings(clock) == 5
    clock = expire_after_days(dogger, 5)
    assert review_no_shows(series_id=report.series_id, clock=clock) is Review.WITHDRAWN
    assert count_future_bookings(clock) == 0
    reasons = AuditEntry.objects.filter(command="withdraw_series").values_list("reason", flat=True)
    assert set(reasons) == {"No check-in 3 times in a row"}


def test_case_084__check_in_during_the_notice__keeps_the_series():
    """Three no-shows in a row"""
    dogger, ann = room(), actor()
    report = daily(dogger, ann)
    clock = expire_after_days(dogger, 3)
    review_no_shows(series_id=report.series_id, clock=clock)
    fourth = report.booked[3]
    check_in(actor=ann, booking_id=fourth.id, clock=FixedClock(fourth.interval.start))
    later = FixedClock(MONDAY + timedelta(days=6))
    assert review_no_shows(series_id=report.series_id, clock=later) is Review.ATTENDED
    assert Booking.objects.filter(state=BookingState.CANCELLED).count() == 0


def test_review__limit_of_many_dates__is_reached():
    dogger = room()
    Policy.objects.create(room=dogger, no_show_limit=55)
    report = daily(dogger, actor(), count=60)
    clock = expire_after_days(dogger, 54)
    assert review_no_shows(series_id=report.series_id, clock=clock) is Review.ATTENDED
    clock = expire_after_days(dogger, 55)
    assert review_no_shows(series_id=report.series_id, clock=clock) is Review.WARNED


@pytest.mark.parametrize("why", ["holiday", "closed"])
def test_case_084__closed_days_and_holidays__are_not_counted(why: str):
    """Three no-shows in a row"""
    dogger = room()
    report = daily(dogger, actor())
    day = date(2026, 2, 4)
    if why == "holiday":
        policy = Policy.objects.create(room=dogger)
        policy.exceptions.create(
            first_date=day, last_date=day, reason="Independence", is_holiday=True
        )
    else:
        start = datetime.fromisoformat("2026-02-04T00:00:00+00:00")
        Closure.objects.create(
            room=dogger, starts_at=start, ends_at=start + timedelta(days=1), reason="Paint"
        )
    clock = expire_after_days(dogger, 3)
    assert review_no_shows(series_id=report.series_id, clock=clock) is Review.ATTENDED
    clock = expire_after_days(dogger, 4)
    assert review_no_shows(series_id=report.series_id, clock=clock) is Review.WARNED
