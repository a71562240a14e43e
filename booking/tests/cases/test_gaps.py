"""Cases 26 to 30: the time between two bookings."""

import pytest

from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.domain.errors import RuleError
from booking.models import Booking
from booking.tests.factories import NOW, at, book, hours
from booking.tests.room_rules import (
    OTHER_ROOM_ID,
    ROOM_ID,
    booked,
    codes,
    daily,
    refusal_of,
    rules,
    span,
)
from identity.models import Role
from identity.queries import actor_of
from identity.tests.factories import actor, person
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.tests.factories import divide, policy, room


@pytest.mark.django_db
def test_case_026__gap_after_a_booking__is_enforced():
    """A gap of 30 minutes refuses 10:15 after 10:00 and allows 10:30"""
    dogger = room()
    policy(dogger, gap_minutes=30)
    book(dogger, hours(11, 12))
    with pytest.raises(RuleError) as refused:
        book(dogger, Interval(at(12, 15), at(13)))
    [refusal] = refused.value.facts["refusals"]
    assert (refusal["code"], refusal["source"]) == ("gap_too_short", "room")
    assert refusal["earliest_start"] == at(12, 30).isoformat()
    assert book(dogger, Interval(at(12, 30), at(13))).flags == ()


@pytest.mark.django_db
def test_case_026__gap_before_a_booking__is_enforced():
    """The gap also counts before a booking"""
    dogger = room()
    policy(dogger, gap_minutes=30)
    book(dogger, hours(13, 14))
    with pytest.raises(RuleError) as refused:
        book(dogger, Interval(at(12), at(12, 31)))
    assert refused.value.facts["refusals"][0]["latest_end"] == at(12, 30).isoformat()
    book(dogger, Interval(at(12), at(12, 30)))


@pytest.mark.django_db
def test_case_026__gap_of_a_hall__is_enforced_in_its_half():
    """The gap of a hall counts for a booking of its half"""
    hall, left, right = room(), room(), room()
    divide(hall, left, right)
    policy(hall, gap_minutes=30)
    book(hall, hours(11, 12))
    with pytest.raises(RuleError, match="30 minutes"):
        book(left, Interval(at(12, 15), at(13)))
    book(left, Interval(at(12, 30), at(13)))


@pytest.mark.parametrize("start,refused", [("12 14:00", []), ("12 13:59", ["gap_too_short"])])
def test_case_027__two_equal_gaps__may_overlap(start, refused):
    """The gaps of two bookings may overlap; the larger gap is enough"""
    one_hour = rules(gap_minutes=60, gaps={ROOM_ID: 60, OTHER_ROOM_ID: 60})
    before = booked(span("12 12:30", "12 13:00"), room_id=OTHER_ROOM_ID)
    wanted = span(start, "12 15:00")
    assert codes(one_hour, wanted, before) == refused


def test_case_027__two_different_gaps__need_the_larger():
    """Between two bookings with different gaps the larger gap must be free"""
    small = rules(gap_minutes=10, gaps={ROOM_ID: 10, OTHER_ROOM_ID: 45})
    before = booked(span("12 12:30", "12 13:00"), room_id=OTHER_ROOM_ID)
    assert codes(small, span("12 13:44", "12 15:00"), before) == ["gap_too_short"]
    assert codes(small, span("12 13:45", "12 15:00"), before) == []


def test_case_028__gap_over_closing_time__is_allowed_unless_forbidden():
    """A gap may run over closing time, unless the policy forbids it"""
    last = span("12 17:00", "12 18:00")
    lenient = rules(hours=daily("08:00", "18:00"), gap_minutes=30)
    strict = rules(hours=daily("08:00", "18:00"), gap_minutes=30, gap_may_leave_hours=False)
    assert codes(lenient, last) == []
    refusal = refusal_of(strict, last)
    assert refusal["code"] == "gap_leaves_hours"
    assert refusal["latest_end"] == span("12 17:00", "12 17:30").end.isoformat()
    assert codes(strict, span("12 17:00", "12 17:30")) == []


@pytest.mark.django_db
def test_case_028__gap_over_midnight__is_enforced():
    """A gap that begins before midnight still counts after it"""
    dogger = room()
    policy(dogger, gap_minutes=30)
    book(dogger, span("12 23:00", "13 00:00"))
    with pytest.raises(RuleError, match="Start from Friday 13 March 2026, 00:30"):
        book(dogger, span("13 00:15", "13 01:00"))
    book(dogger, span("13 00:30", "13 01:00"))


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["admin", "manager"])
def test_case_029__booking_inside_a_gap_by_a_manager__is_flagged(who):
    """A manager may book inside a gap, and the booking is flagged"""
    dogger, ann = room(), person()
    policy(dogger, gap_minutes=30, managers=[ann])
    book(dogger, hours(11, 12))
    by = actor(role=Role.ADMIN) if who == "admin" else actor_of(ann)
    facts = book(dogger, Interval(at(12, 15), at(13)), by=by)
    assert facts.flags == ("gap_too_short",)
    assert Booking.objects.get(pk=facts.id).flags == ["gap_too_short"]


@pytest.mark.django_db
def test_case_029__gap_enlarged_later__keeps_stored_bookings():
    """Stored bookings stay when the gap grows, and their titles can still be changed"""
    dogger, ann = room(), actor()
    book(dogger, hours(11, 12))
    facts = book(dogger, Interval(at(12, 10), at(13)), by=ann)
    policy(dogger, gap_minutes=60)
    edit = BookingEdit(title="New name")
    edit_booking(actor=ann, booking_id=facts.id, edit=edit, clock=FixedClock(NOW))
    assert Booking.objects.filter(takes_slot=True).count() == 2


@pytest.mark.django_db
def test_case_030__one_booking_a_day__is_free_again_at_midnight():
    """A room booked 10 to 12 is taken for that local day, and free from midnight on"""
    dogger = room()
    policy(dogger, one_booking_a_day=True)
    book(dogger, span("13 10:00", "13 12:00"))
    with pytest.raises(RuleError) as refused:
        book(dogger, span("13 14:00", "13 15:00"))
    [refusal] = refused.value.facts["refusals"]
    assert (refusal["code"], refusal["date"]) == ("day_taken", "2026-03-13")
    book(dogger, span("14 00:00", "14 01:00"))
