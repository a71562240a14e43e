"""Booking in Postgres: the numbered cases 2-5, 8, 14, 15 and 18."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from booking.commands.cancel_booking import cancel_booking
from booking.domain.booking_data import BookingData
from booking.domain.errors import RoomClosedError, SlotTakenError
from booking.domain.states import BookingState
from booking.models import AuditEntry, Booking, IdempotencyReceipt, as_range
from booking.tests.factories import NOW, at, book, hours, soon
from identity.tests.factories import actor, person
from meeting_rooms.kernel.actor import SYSTEM_ACTOR
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import (
    InvalidCommandError,
    NotFoundError,
    PermissionDeniedError,
)
from meeting_rooms.kernel.interval import Interval
from rooms.models import Closure, Policy
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db


def test_book__free_slot__is_stored_with_audit_and_version():
    ann, dogger = actor("Ann"), room()
    facts = book(dogger, hours(11, 12), by=ann, title="  Design review ")
    entry = AuditEntry.objects.get()
    dogger.refresh_from_db()
    assert (facts.title, facts.state) == ("Design review", BookingState.CONFIRMED)
    assert facts.check_in_until == at(11, 10)
    assert (entry.command, entry.actor_name, entry.before) == ("book_room", "Ann", None)
    assert BookingData.from_row(entry.after) == facts
    assert dogger.schedule_version == 2


def test_book__taken_slot__names_only_the_interval_of_the_other_booking():
    dogger = room()
    book(dogger, hours(11, 12), title="Secret")
    with pytest.raises(SlotTakenError) as refused:
        book(dogger, Interval(at(11, 30), at(13)))
    taken = [{"starts_at": at(11).isoformat(), "ends_at": at(12).isoformat()}]
    assert refused.value.facts == {"room": str(dogger.uuid), "taken": taken}
    assert Booking.objects.count() == 1


@pytest.mark.parametrize("start,end,conflicts", [
    (11, 12, False), (12, 13, False), (12, 14, True), (12, 16, True),
    (13, 15, True), (14, 16, True), (15, 16, False), (16, 17, False),
])  # fmt: skip
def test_book__case_1_beside_over_and_within__is_half_open(start, end, conflicts):
    dogger = room()
    book(dogger, hours(13, 15))
    with pytest.raises(SlotTakenError) if conflicts else nullcontext():
        book(dogger, hours(start, end))
    assert Booking.objects.count() == (1 if conflicts else 2)


def test_book__back_to_back__stores_both():
    dogger = room()
    book(dogger, hours(11, 12))
    book(dogger, hours(12, 13))
    assert Booking.objects.count() == 2


def test_book__same_time_in_another_room__is_no_conflict():
    book(room(), hours(11, 12))
    book(room(), hours(11, 12))
    assert Booking.objects.count() == 2


def test_book__after_cancellation__is_possible():
    dogger = room()
    facts = book(dogger, hours(11, 12))
    cancel_booking(actor=SYSTEM_ACTOR, booking_id=facts.id, clock=FixedClock(NOW))
    book(dogger, hours(11, 12))
    assert Booking.objects.filter(state=BookingState.CANCELLED).count() == 1


def test_book__slot_that_has_begun__is_checked_in():
    facts = book(room(), Interval(NOW - timedelta(minutes=5), at(11)))
    assert (facts.state, facts.check_in_until) == (BookingState.CHECKED_IN, None)


def test_book__by_the_system_actor__is_refused():
    with pytest.raises(PermissionDeniedError):
        book(room(), hours(11, 12), by=SYSTEM_ACTOR)


def test_book__inactive_room__is_not_found():
    dogger = room()
    dogger.is_active = False
    dogger.save()
    with pytest.raises(NotFoundError):
        book(dogger, hours(11, 12))


@pytest.mark.parametrize(
    "interval,code",
    [
        (hours(8, 9), "in_the_past"),
        (Interval(NOW - timedelta(minutes=16), at(11)), "in_the_past"),
        (Interval(at(11), at(11) + timedelta(hours=24) + timedelta(seconds=1)), "too_long"),
        (Interval(at(11) + timedelta(days=731), at(12) + timedelta(days=731)), "too_far_ahead"),
    ],
)
def test_book__invalid_times__are_refused_with_their_code(interval, code):
    with pytest.raises(InvalidCommandError) as refused:
        book(room(), interval)
    assert refused.value.code == code
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "title,code", [("x" * 201, "title_too_long"), ("line\nbreak", "title_not_text")]
)
def test_book__invalid_title__is_refused_with_its_code(title, code):
    with pytest.raises(InvalidCommandError) as refused:
        book(room(), hours(11, 12), title=title)
    assert refused.value.code == code


def test_book__outside_opening_hours__names_the_hours():
    dogger = room()
    policy = Policy.objects.create(room=dogger)
    policy.opening_hours.create(weekday=3, opens="08:00", closes="14:00")
    book(dogger, hours(11, 12))  # 13:00 to 14:00 in Helsinki
    with pytest.raises(InvalidCommandError, match="open from 08:00 to 14:00") as refused:
        book(dogger, hours(12, 13))
    assert refused.value.code == "outside_opening_hours"


def test_book__during_closure__is_refused_with_its_reason():
    dogger = room()
    Closure.objects.create(room=dogger, starts_at=at(9), ends_at=at(11, 30), reason="Painting")
    with pytest.raises(RoomClosedError, match="Painting"):
        book(dogger, hours(11, 12))


def test_key__repeated__returns_the_first_booking_even_if_changed_since():
    ann, dogger = actor(), room()
    first = book(dogger, hours(11, 12), by=ann, key="k1")
    cancel_booking(actor=ann, booking_id=first.id, clock=FixedClock(NOW))
    assert book(dogger, hours(11, 12), by=ann, key="k1") == first
    assert Booking.objects.count() == 1


def test_key__for_another_request__is_refused():
    ann, dogger = actor(), room()
    book(dogger, hours(11, 12), by=ann, key="k1")
    with pytest.raises(InvalidCommandError) as refused:
        book(dogger, hours(12, 13), by=ann, key="k1")
    assert refused.value.code == "idempotency_key_reused"


def test_key__of_another_person__is_independent():
    dogger = room()
    book(dogger, hours(11, 12), key="k1")
    book(dogger, hours(12, 13), key="k1")
    assert Booking.objects.count() == 2


def test_key__of_a_failed_attempt__leaves_no_receipt():
    ann, dogger = actor(), room()
    other = book(dogger, hours(11, 12))
    with pytest.raises(SlotTakenError):
        book(dogger, hours(11, 12), by=ann, key="k1")
    assert not IdempotencyReceipt.objects.exists()
    cancel_booking(actor=SYSTEM_ACTOR, booking_id=other.id, clock=FixedClock(NOW))
    assert book(dogger, hours(11, 12), by=ann, key="k1")


@pytest.mark.parametrize("bounds", ["[]", "()", "(]"])
def test_constraint__other_bounds__are_refused(bounds):
    with pytest.raises(IntegrityError), transaction.atomic():
        _insert(f"tstzrange('2026-03-12 11:00+00', '2026-03-12 12:00+00', '{bounds}')")


@pytest.mark.parametrize("during", ["'empty'::tstzrange", "tstzrange('2026-03-12', NULL, '[)')"])
def test_constraint__empty_or_endless_interval__is_refused(during):
    with pytest.raises(IntegrityError), transaction.atomic():
        _insert(during)


def test_constraint__overlap_stored_without_a_command__is_refused():
    dogger = room()
    book(dogger, hours(11, 12))
    with pytest.raises(IntegrityError), transaction.atomic():
        Booking.objects.create(
            room=dogger, during=as_range(soon(70)), title="x", state="confirmed", created_at=NOW
        )


@pytest.mark.parametrize("change", ["UPDATE booking_auditentry SET actor_name = 'x'",
                                    "DELETE FROM booking_auditentry"])  # fmt: skip
def test_audit_entry__changed_or_deleted__is_refused(change):
    book(room(), hours(11, 12))
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        connection.cursor().execute(change)


def _insert(during: str) -> None:
    person()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO booking_booking (id, room_id, during, title, organizer_name, is_private,"
            f" state, created_at) VALUES (gen_random_uuid(), %s, {during}, 'x', 'x', false,"
            " 'confirmed', now())",
            [room().pk],
        )
