"""Cancelling a booking, or one date of a series: permission, time limit, other dates."""

from datetime import datetime

import pytest

from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.domain.states import BookingState
from booking.models import AuditEntry, Booking
from booking.series.book_series import BookSeries, book_series
from booking.tests.factories import NOW, at, book, hours
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError, PermissionDeniedError
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db
THEN = FixedClock(NOW)


def test_cancel__booking__frees_the_slot_and_audits_the_reason():
    dogger, ann = room(), actor("Ann")
    booked = book(dogger, hours(11, 12), by=ann)
    cancelled = cancel_booking(actor=ann, booking_id=booked.id, reason="Ill", clock=THEN)
    assert (cancelled.state, cancelled.takes_slot) == (BookingState.CANCELLED, False)
    assert cancelled.version == booked.version + 1
    entry = AuditEntry.objects.get(command="cancel_booking")
    assert (entry.booking_id, entry.reason) == (booked.id, "Ill")
    assert book(dogger, hours(11, 12)).takes_slot


def test_cancel__one_date_of_a_series__keeps_the_other_dates():
    dogger, ann = room(), actor("Ann")
    wanted = BookSeries(
        dogger.uuid, datetime(2026, 3, 16, 10), 60, "FREQ=DAILY;COUNT=4", "Stand-up"
    )
    series = book_series(actor=ann, wanted=wanted, clock=THEN)
    second = series.booked[1]
    cancelled = cancel_booking(actor=ann, booking_id=second.id, clock=THEN)
    assert cancelled.recurrence_id == second.recurrence_id
    remaining = Booking.objects.filter(series_id=series.series_id, takes_slot=True)
    assert set(remaining.values_list("pk", flat=True)) == {
        date.id for date in series.booked if date.id != second.id
    }
    assert book(dogger, second.interval).takes_slot


def test_cancel__twice__changes_nothing_the_second_time():
    ann = actor("Ann")
    booked = book(room(), hours(11, 12), by=ann)
    first = cancel_booking(actor=ann, booking_id=booked.id, clock=THEN)
    assert cancel_booking(actor=ann, booking_id=booked.id, clock=THEN) == first
    assert AuditEntry.objects.filter(command="cancel_booking").count() == 1


def test_cancel__by_another_person__is_refused_unless_that_person_manages_the_room():
    booked = book(room(), hours(11, 12), by=actor("Ann"))
    with pytest.raises(PermissionDeniedError):
        cancel_booking(actor=actor("Bob"), booking_id=booked.id, clock=THEN)
    admin = actor("Eve", Role.ADMIN)
    state = cancel_booking(actor=admin, booking_id=booked.id, clock=THEN).state
    assert state is BookingState.CANCELLED


def test_cancel__meeting_that_is_over__is_refused():
    ann = actor("Ann")
    booked = book(room(), hours(11, 12), by=ann)
    check_in(actor=ann, booking_id=booked.id, clock=FixedClock(at(11)))
    with pytest.raises(ConflictError) as refused:
        cancel_booking(actor=ann, booking_id=booked.id, clock=FixedClock(at(12)))
    assert refused.value.code == "already_over"
    stored = Booking.objects.get(pk=booked.id)
    assert (stored.state, stored.takes_slot) == (BookingState.CHECKED_IN, True)
