"""Cases 38 and 39: quotas by count and by minutes."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from booking.commands.book_room import BookRooms, book_room
from booking.commands.cancel_booking import cancel_booking
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.domain.booking_request import Usage
from booking.domain.errors import RuleError
from booking.domain.policy_checks import counted, questions
from booking.tests.factories import NOW, at, book, hours
from booking.tests.room_rules import codes, decision, local, refusal_of, rules, span
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import Quota, QuotaPeriod
from rooms.tests.factories import floor, policy, room

DAY, WEEK, MONTH = QuotaPeriod.DAY, QuotaPeriod.WEEK, QuotaPeriod.MONTH


def make_quota(period=DAY, **limits):
    return Quota(id=1, period=period, **limits)


def used(room_rules, wanted, *before):
    """Return the usage by the bookings `before`, for the quotas that apply to `wanted`."""
    usage = tuple(Usage(question, 0, 0.0) for question in questions(wanted, room_rules))
    for interval in before:
        usage = counted(usage, interval, room_rules)
    return usage


def test_case_038__two_full_days_after_two_full_days__are_allowed():
    """With a quota of 24 hours a day, 4 to 6 September is allowed right after 2 to 4 September"""
    by_hours = rules(quotas=(make_quota(max_minutes=24 * 60),), max_minutes=48 * 60)
    before = span("2026-09-02 00:00", "2026-09-04 00:00")
    wanted = span("2026-09-04 00:00", "2026-09-06 00:00")
    assert codes(by_hours, wanted, usage=used(by_hours, wanted, before)) == []
    one_more = span("2026-09-03 23:00", "2026-09-04 00:00")
    usage = used(by_hours, one_more, before)
    assert codes(by_hours, one_more, usage=usage) == ["quota_of_minutes"]


def test_case_038__overnight_booking__is_not_counted_in_a_window_of_the_day():
    """An overnight booking from 21 to 04 does not count in the window from 08 to 20"""
    window = (local("12 08:00").time(), local("12 20:00").time())
    by_hours = rules(quotas=(make_quota(max_minutes=60, window=window),))
    night = span("12 21:00", "13 04:00")
    noon = span("13 12:00", "13 13:00")
    assert codes(by_hours, noon, usage=used(by_hours, noon, night)) == []
    assert codes(by_hours, noon, usage=used(by_hours, noon, span("13 19:30", "13 20:30"))) == [
        "quota_of_minutes"
    ]
    assert codes(by_hours, night, usage=used(by_hours, night, noon)) == []


@pytest.mark.django_db
def test_case_038__stored_overnight_booking__is_not_counted_in_a_window_of_the_day():
    """A stored overnight booking uses nothing of the quota, and a booking at noon uses all of it"""
    dogger, ann = room(), actor()
    stored = policy(dogger)
    stored.quotas.create(period="day", max_minutes=60, window_opens="08:00", window_closes="20:00")
    book(dogger, span("12 21:00", "13 04:00"), by=ann)
    book(dogger, span("13 12:00", "13 13:00"), by=ann)
    with pytest.raises(RuleError) as refused:
        book(dogger, span("13 19:45", "13 21:00"), by=ann)
    [refusal] = refused.value.facts["refusals"]
    assert (refusal["code"], refusal["used"], refusal["left"]) == ("quota_of_minutes", 60, 0)


@pytest.mark.parametrize(
    "week_starts,period_starts",
    [(0, "09 00:00"), (3, "12 00:00"), (None, "13 00:00"), (6, "08 00:00")],
)
def test_case_039__week_of_a_quota__begins_in_the_rooms_zone(week_starts, period_starts):
    """A week begins on Monday, on Thursday, or with the booking's own day, in the room's zone"""
    weekly = rules(quotas=(make_quota(WEEK, max_count=1, week_starts=week_starts),))
    [asked] = questions(span("13 10:00", "13 11:00"), weekly)
    assert asked.period.start == local(period_starts)
    assert asked.period.duration == timedelta(days=7)


@pytest.mark.parametrize("week_starts,refused", [(0, ["quota_of_bookings"]), (3, []), (None, [])])
def test_case_039__booking_on_wednesday__counts_by_the_start_of_the_week(week_starts, refused):
    """A booking on Wednesday counts for Friday in a week from Monday, not in one from Thursday"""
    weekly = rules(quotas=(make_quota(WEEK, max_count=1, week_starts=week_starts),))
    wanted, before = span("13 10:00", "13 11:00"), span("11 10:00", "11 11:00")
    assert codes(weekly, wanted, usage=used(weekly, wanted, before)) == refused


def test_case_039__week_of_a_clock_change__lasts_167_hours():
    """The week of the clock change lasts 167 hours, from local midnight to local midnight"""
    weekly = rules(quotas=(make_quota(WEEK, max_count=1),))
    [asked] = questions(span("27 10:00", "27 11:00"), weekly)
    assert asked.period.duration == timedelta(hours=167)


@pytest.mark.django_db
def test_case_039__edit_of_a_counted_booking__is_not_counted_twice():
    """An edit of the only booking of the day does not count the booking twice"""
    dogger, ann = room(), actor()
    policy(dogger).quotas.create(period="day", max_count=1, max_minutes=60)
    facts = book(dogger, hours(11, 12), by=ann)
    with pytest.raises(RuleError) as refused:
        book(dogger, hours(13, 14), by=ann)
    listed = [refusal["code"] for refusal in refused.value.facts["refusals"]]
    assert listed == ["quota_of_bookings", "quota_of_minutes"]
    edit = BookingEdit(interval=hours(13, 14))
    edit_booking(actor=ann, booking_id=facts.id, edit=edit, clock=FixedClock(NOW))
    with pytest.raises(RuleError):
        edit_booking(
            actor=ann, booking_id=facts.id, edit=BookingEdit(interval=Interval(at(13), at(14, 1))),
            clock=FixedClock(NOW),
        )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("scope,allowed", [("room", True), ("building", False), ("campus", False)])
def test_quota__of_a_scope__counts_the_bookings_in_all_its_rooms(scope, allowed):
    here = floor()
    one, two, ann = room(on=here), room(on=here), actor()
    of = {"room": two, "building": here.building, "campus": None}[scope]
    policy(of).quotas.create(period="day", max_count=1)
    book(one, hours(11, 12), by=ann)
    if allowed:
        book(two, hours(12, 13), by=ann)
        return
    with pytest.raises(RuleError, match="You have used your 1 booking"):
        book(two, hours(12, 13), by=ann)
    book(two, hours(12, 13))


@pytest.mark.django_db
def test_quota__of_a_cancelled_booking__is_free_again():
    dogger, ann = room(), actor()
    policy(dogger).quotas.create(period="month", max_count=1)
    facts = book(dogger, hours(11, 12), by=ann)
    cancel_booking(actor=ann, booking_id=facts.id, clock=FixedClock(NOW))
    book(dogger, hours(11, 12), by=ann)


@pytest.mark.django_db
def test_quota__of_an_admin__is_flagged_not_refused():
    dogger, ann = room(), actor(role=Role.ADMIN)
    policy(dogger).quotas.create(period="day", max_count=1)
    book(dogger, hours(11, 12), by=ann)
    wanted = BookRooms.one(dogger.uuid, hours(13, 14))
    facts = book_room(actor=ann, wanted=wanted, clock=FixedClock(NOW))
    assert facts.flags == ("quota_of_bookings",)


def test_quota__minutes_over_midnight__are_counted_on_both_days():
    by_hours = rules(quotas=(make_quota(max_minutes=60),))
    night = span("13 23:00", "14 01:00")
    assert codes(by_hours, night) == []
    usage = used(by_hours, night, span("14 10:00", "14 10:01"))
    assert codes(by_hours, night, usage=usage) == ["quota_of_minutes"]


def test_quota__minutes_over_a_clock_change__are_real_minutes():
    berlin = ZoneInfo("Europe/Berlin")
    by_hours = rules(zone=berlin, quotas=(make_quota(MONTH, max_minutes=4 * 60),))
    short = span("2026-03-29 01:00", "2026-03-29 06:00", zone=berlin)
    long = span("2026-10-25 01:00", "2026-10-25 05:00", zone=berlin)
    assert codes(by_hours, short) == []  # four hours
    refusal = refusal_of(by_hours, long)  # five
    assert (refusal["code"], refusal["left"]) == ("quota_of_minutes", 240)


def test_quota__request_that_is_too_long__is_not_counted_day_by_day():
    daily = rules(quotas=(make_quota(max_minutes=60),))
    century = span("13 10:00", "2126-03-13 10:00")
    assert len(questions(century, daily)) == 1
    assert "too_long" in codes(daily, century)


def test_quota__request_without_a_person__is_not_checked():
    assert decision(rules(quotas=(make_quota(max_count=0),)), hours(11, 12), person=None)


def test_quota__week_from_the_bookings_own_day__does_not_count_for_another_date():
    weekly = rules(quotas=(make_quota(WEEK, max_count=1, week_starts=None),))
    first, second = span("13 10:00", "13 11:00"), span("17 10:00", "17 11:00")
    usage = counted((*used(weekly, first), *used(weekly, second)), first, weekly)
    assert codes(weekly, second, usage=usage) == []
    assert codes(weekly, first, usage=usage) == ["quota_of_bookings"]
