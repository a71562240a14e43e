"""Cancelling, check-in, ending and release of bookings: the numbered cases 78-83, 85 and 86."""

from datetime import timedelta

import pytest

from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.end_booking import end_booking
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.domain.states import BookingState
from booking.models import AuditEntry, Booking
from booking.repository import bookings_during
from booking.tests.factories import NOW, at, book, hours
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError, NotFoundError, PermissionDeniedError
from meeting_rooms.kernel.interval import Interval
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db
MILLISECOND = timedelta(milliseconds=1)


def test_check_in__last_instant_of_grace__is_accepted():
    facts = book(room(), hours(11, 12))
    clock = FixedClock(at(11, 10) - MILLISECOND)
    assert check_in(actor=actor(), booking_id=facts.id, clock=clock).state == "checked_in"


def test_check_in__at_the_grace_instant__is_released():
    facts = book(room(), hours(11, 12))
    with pytest.raises(ConflictError) as refused:
        check_in(actor=actor(), booking_id=facts.id, clock=FixedClock(at(11, 10)))
    assert refused.value.code == "released"


def test_check_in__before_its_window__reports_when_it_opens():
    facts = book(room(), hours(11, 12))
    with pytest.raises(ConflictError) as refused:
        check_in(actor=actor(), booking_id=facts.id, clock=FixedClock(at(10, 49)))
    assert refused.value.facts == {"opens_at": at(10, 50).isoformat()}


def test_check_in__twice__writes_one_audit_entry():
    facts = book(room(), hours(11, 12))
    clock = FixedClock(at(11, 5))
    once = check_in(actor=actor(), booking_id=facts.id, clock=clock)
    assert check_in(actor=actor(), booking_id=facts.id, clock=clock) == once
    assert AuditEntry.objects.filter(command="check_in").count() == 1


def test_release__due__happens_once_and_audits_the_reason():
    dogger = room()
    book(dogger, hours(11, 12))
    for _ in range(2):
        expire_due_bookings(room=dogger.uuid, clock=FixedClock(at(11, 10)))
    entry = AuditEntry.objects.get(command="release_no_show")
    assert (entry.at, entry.actor_name) == (at(11, 10), "system")
    assert "11:10:00" in entry.reason


def test_release__checked_in__never_happens():
    dogger = room()
    facts = book(dogger, hours(11, 12))
    check_in(actor=actor(), booking_id=facts.id, clock=FixedClock(at(11, 5)))
    expire_due_bookings(room=dogger.uuid, clock=FixedClock(at(11, 30)))
    assert Booking.objects.get().state == BookingState.CHECKED_IN


def test_no_show__not_yet_released__is_free_in_queries_and_bookable():
    dogger = room()
    book(dogger, hours(11, 12))
    assert not bookings_during(hours(11, 12), now=at(11, 10)).exists()
    book(dogger, Interval(at(11, 15), at(12)), clock=FixedClock(at(11, 11)))
    states = set(Booking.objects.values_list("state", flat=True))
    assert states == {BookingState.RELEASED, BookingState.CONFIRMED}


def test_end__running__frees_the_rest_and_audits_the_planned_end():
    ann, dogger = actor(), room()
    facts = book(dogger, Interval(NOW, at(11)), by=ann)
    ended = end_booking(actor=ann, booking_id=facts.id, clock=FixedClock(at(10, 20)))
    entry = AuditEntry.objects.get(command="end_booking")
    assert ended.interval == Interval(NOW, at(10, 20))
    assert Interval.read(entry.before["during"]).end == at(11)
    book(dogger, Interval(at(10, 20), at(11)), clock=FixedClock(at(10, 20)))


def test_end__not_running__is_refused():
    ann = actor()
    facts = book(room(), hours(11, 12), by=ann)
    with pytest.raises(ConflictError) as refused:
        end_booking(actor=ann, booking_id=facts.id, clock=FixedClock(NOW))
    assert refused.value.code == "not_running"


@pytest.mark.parametrize("command", [cancel_booking, end_booking])
def test_change__by_another_person__is_refused(command):
    facts = book(room(), Interval(NOW, at(11)))
    with pytest.raises(PermissionDeniedError):
        command(actor=actor(), booking_id=facts.id, clock=FixedClock(at(10, 5)))


def test_cancel__twice_by_an_admin__is_allowed_and_audited_once():
    admin = actor(role=Role.ADMIN)
    facts = book(room(), hours(11, 12))
    for _ in range(2):
        cancel_booking(actor=admin, booking_id=facts.id, clock=FixedClock(NOW))
    assert AuditEntry.objects.filter(command="cancel_booking").count() == 1


def test_cancel__booking_that_is_over__is_refused():
    ann = actor()
    facts = book(room(), Interval(NOW, at(11)), by=ann)
    with pytest.raises(ConflictError) as refused:
        cancel_booking(actor=ann, booking_id=facts.id, clock=FixedClock(at(12)))
    assert refused.value.code == "already_over"


def test_change__unknown_booking__is_not_found():
    with pytest.raises(NotFoundError):
        cancel_booking(actor=actor(), booking_id=room().uuid, clock=FixedClock(NOW))
