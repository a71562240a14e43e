"""Changes of stored bookings: move, swap, restore, check in, end, extend."""

import pytest

from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.commands.end_booking import end_booking
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.commands.extend_booking import extend_booking
from booking.commands.restore_booking import restore_booking
from booking.commands.swap_rooms import swap_rooms
from booking.domain.errors import SlotTakenError, StaleVersionError
from booking.domain.states import BookingState
from booking.models import AuditEntry, Booking, as_range
from booking.tests.factories import NOW, at, book, hours
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError
from meeting_rooms.kernel.interval import Interval
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db
THEN = FixedClock(NOW)


def test_case_006__longer_booking__may_overlap_its_old_slot():
    """A booking grows over its own old slot"""
    ann = actor()
    mine = book(room(), hours(11, 12), by=ann)
    edit = BookingEdit(interval=hours(11, 13))
    longer = edit_booking(actor=ann, booking_id=mine.id, edit=edit, clock=THEN)
    assert (longer.interval, longer.version) == (hours(11, 13), 2)


def test_case_007__swap__exchanges_the_rooms_of_two_bookings():
    """Two bookings exchange their rooms"""
    ann, dogger, fisher = actor(), room(), room()
    one, other = book(dogger, hours(11, 12), by=ann), book(fisher, hours(11, 12), by=ann)
    swap_rooms(actor=ann, booking_id=one.id, other_id=other.id, clock=THEN)
    rooms = dict(Booking.objects.values_list("pk", "room__uuid"))
    assert rooms == {one.id: fisher.uuid, other.id: dogger.uuid}


def test_case_007__swap_against_a_third_booking__changes_nothing():
    """Two bookings exchange their rooms"""
    ann, dogger, fisher = actor(), room(), room()
    one, other = book(dogger, hours(11, 13), by=ann), book(fisher, hours(11, 12), by=ann)
    book(fisher, hours(12, 13))
    with pytest.raises(SlotTakenError):
        swap_rooms(actor=ann, booking_id=one.id, other_id=other.id, clock=THEN)
    rooms = dict(
        Booking.objects.exclude(during=as_range(hours(12, 13))).values_list("pk", "room__uuid")
    )
    assert rooms == {one.id: dogger.uuid, other.id: fisher.uuid}


def test_case_018__stale_edit__gets_the_difference():
    """Two people edit one booking"""
    ann = actor()
    mine = book(room(), hours(11, 12), by=ann, title="Retro")
    new = BookingEdit(title="Planning")
    edit_booking(actor=ann, booking_id=mine.id, edit=new, expected_version=1, clock=THEN)
    with pytest.raises(StaleVersionError) as refused:
        edit_booking(
            actor=ann,
            booking_id=mine.id,
            edit=BookingEdit(interval=hours(12, 13)),
            expected_version=1,
            clock=THEN,
        )
    assert refused.value.facts["changed"] == {"title": {"was": "Retro", "is": "Planning"}}
    assert Booking.objects.get().interval == hours(11, 12)


def test_case_005__restore_after_the_slot_was_booked_again__is_a_conflict():
    """Restore after the slot was booked again"""
    ann, dogger = actor(), room()
    mine = book(dogger, hours(11, 12), by=ann)
    cancel_booking(actor=ann, booking_id=mine.id, clock=THEN)
    book(dogger, hours(11, 12))
    with pytest.raises(SlotTakenError):
        restore_booking(actor=ann, booking_id=mine.id, clock=THEN)


def test_restore__after_more_than_five_minutes__is_refused():
    ann, dogger = actor(), room()
    mine = book(dogger, hours(11, 12), by=ann)
    cancel_booking(actor=ann, booking_id=mine.id, clock=THEN)
    restored = restore_booking(actor=ann, booking_id=mine.id, clock=FixedClock(at(10, 5)))
    assert (restored.state, restored.takes_slot, restored.lapses_at) == (
        "confirmed",
        True,
        at(11, 10),
    )
    cancel_booking(actor=ann, booking_id=mine.id, clock=THEN)
    with pytest.raises(ConflictError) as refused:
        restore_booking(actor=ann, booking_id=mine.id, clock=FixedClock(at(10, 6)))
    assert refused.value.code == "too_late_to_undo"


def test_restore__of_a_released_running_booking__is_checked_in():
    ann, dogger = actor(), room()
    mine = book(dogger, hours(11, 12), by=ann)
    expire_due_bookings(room=dogger.uuid, clock=FixedClock(at(11, 10)))
    restored = restore_booking(actor=ann, booking_id=mine.id, clock=FixedClock(at(11, 12)))
    assert (restored.state, restored.lapses_at) == ("checked_in", None)


def test_case_079__booking_of_two_rooms__uses_the_smallest_grace(with_rules):
    """One booking of two rooms with different graces"""
    ann, strict, mild = actor(), room(), room()
    with_rules(strict, check_in_grace_minutes=10)
    with_rules(mild, check_in_grace_minutes=20)
    wanted = BookRooms((strict.uuid, mild.uuid), hours(11, 12))
    both = book_rooms(actor=ann, wanted=wanted, clock=THEN)
    assert {booking.lapses_at for booking in both} == {at(11, 10)}
    check_in(actor=ann, booking_id=both[0].id, clock=FixedClock(at(11, 5)))
    assert {b.state for b in Booking.objects.all()} == {"checked_in"}


def test_case_079__check_in__opens_five_minutes_before_the_start(with_rules):
    """Check-in opens 5 minutes before the start"""
    ann, dogger = actor(), room()
    with_rules(dogger, check_in_opens_minutes=5)
    mine = book(dogger, hours(11, 12), by=ann)
    with pytest.raises(ConflictError) as early:
        check_in(actor=ann, booking_id=mine.id, clock=FixedClock(at(10, 54)))
    assert early.value.code == "too_early"
    done = check_in(actor=ann, booking_id=mine.id, clock=FixedClock(at(10, 55)))
    assert done.state is BookingState.CHECKED_IN


def test_case_085__checked_in_booking_moved_later__needs_a_new_check_in():
    """A booking is checked in, then moved to a later time"""
    ann = actor()
    mine = book(room(), hours(11, 12), by=ann)
    early = FixedClock(at(10, 55))
    check_in(actor=ann, booking_id=mine.id, clock=early)
    edit = BookingEdit(interval=hours(13, 14))
    moved = edit_booking(actor=ann, booking_id=mine.id, edit=edit, clock=early)
    assert (moved.state, moved.lapses_at) == (BookingState.CONFIRMED, at(13, 10))


def test_case_086__rest_of_a_booking_that_ended_early__is_bookable_at_once():
    """A booking ends early, at 20 past"""
    ann, dogger = actor(), room()
    mine = book(dogger, hours(11, 12), by=ann)
    check_in(actor=ann, booking_id=mine.id, clock=FixedClock(at(11)))
    end_booking(actor=ann, booking_id=mine.id, clock=FixedClock(at(11, 20)))
    book(dogger, Interval(at(11, 20), at(12)), clock=FixedClock(at(11, 20)))
    entry = AuditEntry.objects.get(command="end_booking")
    assert Interval.read(entry.before["during"]) == hours(11, 12)
    assert Interval.read(entry.after["during"]) == Interval(at(11), at(11, 20))


def test_case_087__extension_by_thirty_with_twenty_free__offers_twenty():
    """A booking is extended up to the next booking"""
    ann, dogger = actor(), room()
    mine = book(dogger, hours(11, 12), by=ann)
    book(dogger, Interval(at(12, 20), at(13)))
    check_in(actor=ann, booking_id=mine.id, clock=FixedClock(at(11)))
    during = FixedClock(at(11, 50))
    with pytest.raises(SlotTakenError) as refused:
        extend_booking(actor=ann, booking_id=mine.id, minutes=30, clock=during)
    assert refused.value.facts["possible_minutes"] == 20
    longer = extend_booking(actor=ann, booking_id=mine.id, minutes=20, clock=during)
    assert longer.interval == Interval(at(11), at(12, 20))
    assert longer.state is BookingState.CHECKED_IN
