"""Cases 31 to 37: length, windows, late starts, seats and hours."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from booking.commands.book_room import BookRooms, book_room
from booking.domain.errors import RuleError
from booking.domain.states import BookingState
from booking.tests.factories import NOW, at, book, hours
from booking.tests.room_rules import (
    codes,
    daily,
    decision,
    local,
    refusal_of,
    rules,
    span,
)
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import (
    AdvanceMode,
    CapacityRule,
    DayException,
    MeasuredTo,
)
from rooms.tests.factories import policy, room


@pytest.mark.parametrize(
    "minutes,refused",
    [
        (14, ["too_short", "length_not_in_steps"]),
        (15, []),
        (120, []),
        (121, ["too_long", "length_not_in_steps"]),
        (50, ["length_not_in_steps"]),
    ],
)
def test_case_031__length_outside_limits_or_steps__is_refused(minutes, refused):
    """Of 15 to 120 minutes by 15: 14, 121 and 50 are refused, 15 and 120 allowed"""
    stepped = rules(hours=daily("08:30", "18:00"), min_minutes=15, max_minutes=120, step_minutes=15)
    start = span("13 08:30", "13 09:00").start
    assert codes(stepped, Interval(start, start + timedelta(minutes=minutes))) == refused


def test_case_031__steps__count_from_the_opening_time():
    """Steps of 20 minutes begin at 08:30, when the room opens"""
    stepped = rules(hours=daily("08:30", "18:00"), step_minutes=20)
    assert codes(stepped, span("13 09:10", "13 09:30")) == []
    refusal = refusal_of(stepped, span("13 09:00", "13 09:20"))
    assert refusal["code"] == "start_not_in_steps"
    assert refusal["starts"] == [
        span("13 08:50", "13 09:00").start.isoformat(),
        span("13 09:10", "13 09:30").start.isoformat(),
    ]


def test_case_031__booking_that_begins_now__may_start_between_steps():
    """A booking that begins now may start between two steps: at 09:03 for 20 minutes"""
    stepped = rules(hours=daily("08:30", "18:00"), step_minutes=20)
    now = local("13 09:03")
    assert codes(stepped, span("13 09:03", "13 09:23"), now=now) == []
    assert codes(stepped, span("13 09:04", "13 09:24"), now=now) == ["start_not_in_steps"]
    assert codes(stepped, span("13 09:03", "13 09:24"), now=now) == ["length_not_in_steps"]


MONDAY_0001 = local("09 00:01")


@pytest.mark.parametrize(
    "start,end,refused",
    [
        ("12 23:00", "12 23:30", []),
        ("12 23:30", "13 00:00", []),
        ("13 00:05", "13 00:30", ["too_far_ahead"]),
    ],
)
def test_case_032__advance_in_calendar_days__ends_at_midnight(start, end, refused):
    """Three days ahead of Monday 00:01 lasts until the end of Thursday"""
    assert codes(rules(advance_days=3), span(start, end), now=MONDAY_0001) == refused


@pytest.mark.parametrize("end,refused", [("12 10:30", []), ("12 11:00", ["too_far_ahead"])])
def test_case_032__strict_advance__ends_at_the_minute(end, refused):
    """Strictly three days ahead of Monday 10:32 lasts until Thursday 10:32"""
    strict = rules(advance_days=3, advance_mode=AdvanceMode.STRICT)
    wanted = span("12 10:00", end)
    assert codes(strict, wanted, now=local("09 10:32")) == refused
    if refused:
        latest = span("12 10:00", "12 10:32").end.isoformat()
        assert refusal_of(strict, wanted, now=local("09 10:32"))["latest"] == latest


@pytest.mark.parametrize(
    "measured,refused", [(MeasuredTo.END, ["too_far_ahead"]), (MeasuredTo.START, [])]
)
def test_case_033__advance_limit__is_measured_to_end_or_start(measured, refused):
    """A booking that ends after the window is refused if the window is measured to its end"""
    room_rules = rules(advance_days=3, advance_measured_to=measured)
    long = span("12 23:00", "13 03:00")
    assert codes(room_rules, long, now=MONDAY_0001) == refused
    beyond = span("13 00:00", "13 01:00")
    assert codes(room_rules, beyond, now=MONDAY_0001) == ["too_far_ahead"]


def test_case_034__date_beyond_the_horizon__is_refused_with_the_latest_instant():
    """Each date of a weekly series is checked; the refusal names the last possible instant"""
    horizon = rules(advance_days=14)
    weekly = [span(f"{day} 10:00", f"{day} 11:00") for day in (12, 19, 26)]
    late = [Interval(one.start + timedelta(days=7), one.end + timedelta(days=7)) for one in weekly]
    assert [codes(horizon, one) for one in weekly[1:]] == [[], []]
    assert codes(horizon, late[2]) == ["too_far_ahead"]
    latest = span("26 00:00", "27 00:00").end.isoformat()
    assert refusal_of(horizon, late[2])["latest"] == latest


@pytest.mark.django_db
@pytest.mark.parametrize("minutes_ago", [0, 1, 15])
def test_case_035__start_now_or_within_the_grace__is_checked_in(minutes_ago):
    """A start of now, or up to 15 minutes ago, is allowed and counts as checked in"""
    facts = book(room(), Interval(NOW - timedelta(minutes=minutes_ago), at(11)))
    assert facts.state is BookingState.CHECKED_IN


@pytest.mark.django_db
def test_case_035__start_before_the_grace__is_refused():
    """A start 16 minutes ago is refused, also for an admin and in any time zone"""
    start = (NOW - timedelta(minutes=16)).astimezone(ZoneInfo("Pacific/Auckland"))
    for by in (actor(), actor(role=Role.ADMIN)):
        with pytest.raises(InvalidCommandError) as refused:
            book(room(), Interval.of(start, at(11)), by=by)
        assert refused.value.code == "in_the_past"
        assert refused.value.facts == {"earliest_start": NOW.isoformat()}


def test_case_035__policy_without_grace__refuses_a_past_start():
    """Without grace only a start from now on is allowed"""
    strict = rules(late_start_minutes=0)
    assert codes(strict, Interval(NOW, at(11))) == []
    assert codes(strict, Interval(NOW - timedelta(seconds=1), at(11))) == ["in_the_past"]


@pytest.mark.django_db
def test_case_036__more_attendees_than_seats__are_refused_or_flagged():
    """Nine people in a room for eight are refused, or flagged, as the policy says"""
    dogger = room(capacity=8)
    nine = BookRooms.one(dogger.uuid, hours(11, 12), attendees=9)
    policy(dogger, capacity_rule="refuse")
    with pytest.raises(RuleError) as refused:
        book_room(actor=actor(), wanted=nine, clock=FixedClock(NOW))
    [refusal] = refused.value.facts["refusals"]
    assert (refusal["code"], refusal["capacity"]) == ("over_capacity", 8)
    policy(dogger, capacity_rule="warn")
    facts = book_room(actor=actor(), wanted=nine, clock=FixedClock(NOW))
    assert facts.flags == ("over_capacity",)


def test_case_036__ignored_capacity__is_not_flagged():
    """Attendees are not flagged if the policy ignores the capacity, or if there are enough seats"""
    ignore = rules(capacity_rule=CapacityRule.IGNORE)
    assert decision(ignore, hours(11, 12), attendees=9).flags == ()
    assert decision(rules(), hours(11, 12), attendees=8).flags == ()


def test_case_037__booking_outside_opening_hours__is_refused():
    """Of a room open 12 to 14, 12 to 13 is allowed and 8 to 9 refused with the hours"""
    lunch = rules(hours=daily("12:00", "14:00"))
    assert codes(lunch, span("13 12:00", "13 13:00")) == []
    refusal = refusal_of(lunch, span("13 08:00", "13 09:00"))
    assert refusal["code"] == "outside_opening_hours"
    day = span("13 12:00", "13 14:00")
    expected = {"starts_at": day.start.isoformat(), "ends_at": day.end.isoformat()}
    assert refusal["open"] == [expected]
    flagged = decision(lunch, span("13 08:00", "13 09:00"), is_manager=True)
    assert flagged.flags == ("outside_opening_hours",)


@pytest.mark.django_db
def test_case_037__adjacent_opening_periods__are_joined():
    """Open 11 to 12 daily and 12 to 14 on Tuesdays is one opening period on Tuesday"""
    dogger = room()
    policy(dogger, hours={day: [("11:00", "12:00")] for day in range(7)})
    policy(dogger, hours={1: [("12:00", "14:00")]})
    book(dogger, span("17 11:00", "17 14:00"))
    with pytest.raises(RuleError, match="open from 11:00 to 12:00"):
        book(dogger, span("18 11:00", "18 14:00"))


def test_case_037__closed_day__is_refused_by_its_name():
    """A booking on a holiday, or over midnight into a holiday, is refused with its name"""
    reason = DayException("Midsummer", is_holiday=True)
    closed = rules(exceptions={date(2026, 6, 19): reason})
    night = span("2026-06-18 23:00", "2026-06-19 01:00")
    refusal = refusal_of(closed, night)
    assert refusal["detail"].startswith("Dogger is closed on Friday 19 June 2026: Midsummer.")
    assert (refusal["is_holiday"], refusal["open"]) == (True, [])
    assert codes(closed, span("2026-06-18 23:00", "2026-06-19 00:00")) == []
