"""Cases 75, 76, 77, 79 and 83: approval and check-in by a room's rules."""

from datetime import timedelta

import pytest

from booking.commands.approve_booking import approve_booking
from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.check_in import check_in
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.domain.errors import SlotTakenError
from booking.domain.states import BookingState
from booking.tests.factories import NOW, at, book, hours
from booking.tests.room_rules import codes, decision, local, rules, span
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import Approval
from rooms.tests.factories import policy, room

CLOCK = FixedClock(NOW)


def test_case_075__advance_window__counts_dates_of_the_rooms_zone():
    """At 00:15 in Helsinki the date in UTC is still yesterday; the room's date counts"""
    quarter_past = local("13 00:15")  # 22:15 UTC on the 12th
    today_only = rules(advance_days=0)
    assert codes(today_only, span("13 00:15", "13 10:15"), now=quarter_past) == []
    assert codes(today_only, span("13 23:00", "14 00:00"), now=quarter_past) == []
    assert codes(today_only, span("14 00:00", "14 01:00"), now=quarter_past) == ["too_far_ahead"]


@pytest.mark.django_db
def test_case_075__booking_of_today__can_be_edited():
    """The end of a booking from 00:15 can still be changed at 10:15 of the same day"""
    ann = actor()
    made = FixedClock(local("12 23:00"))
    facts = book(room(), span("13 00:15", "13 11:00"), by=ann, clock=made)
    check_in(actor=ann, booking_id=facts.id, clock=FixedClock(local("13 00:15")))
    edit = BookingEdit(interval=span("13 00:15", "13 12:00"))
    clock = FixedClock(local("13 10:15"))
    edited = edit_booking(actor=ann, booking_id=facts.id, edit=edit, clock=clock)
    assert edited.interval == span("13 00:15", "13 12:00")


@pytest.mark.django_db
def test_case_076__pending_booking__takes_the_slot():
    """A request takes the slot if the room's policy says that requests block"""
    dogger = room()
    policy(dogger, approval="always", pending_blocks=True)
    facts = book(dogger, hours(11, 12))
    assert (facts.state, facts.takes_slot) == (BookingState.PENDING, True)
    with pytest.raises(SlotTakenError):
        book(dogger, hours(11, 12))


@pytest.mark.django_db
def test_case_076__two_requests_that_do_not_block__approving_one_rejects_the_other():
    """If requests do not block, two can wait for one slot; approving one rejects the other"""
    dogger, admin = room(), actor(role=Role.ADMIN)
    policy(dogger, approval="always", pending_blocks=False)
    first, second = book(dogger, hours(11, 12)), book(dogger, hours(11, 12))
    assert (second.state, second.takes_slot) == (BookingState.PENDING, False)
    approved = approve_booking(actor=admin, booking_id=first.id, clock=CLOCK)
    assert (approved.state, approved.takes_slot) == (BookingState.CONFIRMED, True)
    with pytest.raises(ConflictError) as refused:
        approve_booking(actor=admin, booking_id=second.id, clock=CLOCK)
    assert refused.value.code == "not_pending"


def test_case_076__manager__needs_no_approval():
    """A room manager books the room without approval"""
    with_approval = rules(approval=Approval.ALWAYS)
    assert decision(with_approval, hours(11, 12), is_manager=True).state is BookingState.CONFIRMED
    assert decision(with_approval, hours(11, 12)).state is BookingState.PENDING


@pytest.mark.django_db
@pytest.mark.parametrize(
    "interval,state",
    [
        (Interval(at(11), at(11, 30)), BookingState.CONFIRMED),
        (Interval(at(11, 30), at(12)), BookingState.CONFIRMED),
        (Interval(at(11), at(12, 30)), BookingState.PENDING),
        (Interval(at(13), at(14)), BookingState.PENDING),
    ],
)
def test_case_077__change_after_approval__needs_approval_unless_shorter(interval, state):
    """A shortened booking needs no new approval; a longer or moved booking does"""
    dogger, ann = room(), actor()
    policy(dogger, approval="always")
    facts = book(dogger, hours(11, 12), by=ann)
    approve_booking(actor=actor(role=Role.ADMIN), booking_id=facts.id, clock=CLOCK)
    edit = BookingEdit(interval=interval)
    edited = edit_booking(actor=ann, booking_id=facts.id, edit=edit, clock=CLOCK)
    assert (edited.state, edited.interval) == (state, interval)


@pytest.mark.django_db
def test_case_079__check_in_before_its_window__is_refused():
    """Check-in opens 5 minutes before the start: 6 minutes before is too early"""
    dogger, ann = room(), actor()
    policy(dogger, check_in_opens_minutes=5)
    facts = book(dogger, hours(11, 12), by=ann)
    with pytest.raises(ConflictError) as refused:
        check_in(actor=ann, booking_id=facts.id, clock=FixedClock(at(10, 54)))
    assert refused.value.code == "too_early"
    arrived = check_in(actor=ann, booking_id=facts.id, clock=FixedClock(at(10, 55)))
    assert arrived.state is BookingState.CHECKED_IN


@pytest.mark.django_db
def test_case_079__booking_of_two_rooms__uses_the_smaller_grace():
    """A booking of two rooms with 10 and 20 minutes of grace has 10 minutes in both"""
    rooms = [room(), room()]
    for one, minutes in zip(rooms, (10, 20), strict=True):
        policy(one, check_in_grace_minutes=minutes)
    wanted = BookRooms(tuple(one.uuid for one in rooms), hours(11, 12))
    booked = book_rooms(actor=actor(), wanted=wanted, clock=CLOCK)
    assert [facts.check_in_until for facts in booked] == [at(11, 10), at(11, 10)]


@pytest.mark.django_db
def test_case_083__booked_after_its_own_start__counts_as_checked_in():
    """A booking made 5 minutes after its own start counts as checked in"""
    facts = book(room(), Interval(NOW - timedelta(minutes=5), at(11)))
    assert (facts.state, facts.check_in_until) == (BookingState.CHECKED_IN, None)


@pytest.mark.parametrize(
    "exempt,hours_long,deadline",
    [(480, 8, None), (480, 7, at(11, 10)), (0, 8, at(11, 10)), (60, 1, None)],
)
def test_case_083__length_of_the_exemption__decides_on_the_deadline(exempt, hours_long, deadline):
    """A booking as long as the policy's exemption, or longer, needs no check-in"""
    room_rules = rules(check_in_exempt_minutes=exempt)
    wanted = Interval(at(11), at(11) + timedelta(hours=hours_long))
    assert decision(room_rules, wanted).lapses_at == deadline


def test_case_083__no_check_in_required__gives_no_deadline():
    """If no check-in is required, the booking is never released"""
    assert decision(rules(check_in_required=False), hours(11, 12)).lapses_at is None
