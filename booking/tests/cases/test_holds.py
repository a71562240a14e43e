"""Cases 22 to 25: holds."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection

from booking.commands.expire_due_bookings import expire_due_bookings
from booking.commands.hold_slot import hold_slot
from booking.commands.release_hold import release_hold
from booking.commands.renew_hold import renew_hold
from booking.domain.booking_data import BookingData
from booking.domain.errors import SlotTakenError
from booking.domain.states import BookingState
from booking.models import AuditEntry, Booking
from booking.repository import bookings_during, unavailable_intervals
from booking.tests.factories import NOW, book, hours
from identity.tests.factories import actor
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError, LimitExceededError
from rooms.models import Room
from rooms.tests.factories import room

MILLISECOND, MINUTE = timedelta(milliseconds=1), timedelta(minutes=1)
SLOT = hours(11, 12)
LAPSES = NOW + 2 * MINUTE
NOON = FixedClock(NOW)


def hold(where: Room, by: Actor, clock: FixedClock = NOON) -> BookingData:
    return hold_slot(actor=by, room=where.uuid, interval=SLOT, clock=clock)


@pytest.mark.django_db
def test_case_022__booking_by_another_person__is_refused_with_the_end_of_the_hold():
    """Another person holds the slot"""
    dogger = room()
    hold(dogger, actor("U1"))
    with pytest.raises(SlotTakenError) as refused:
        book(dogger, SLOT, by=actor("U2"), clock=NOON)
    assert refused.value.code == "slot_held"
    assert datetime.fromisoformat(refused.value.facts["held_until"]) == LAPSES
    assert Booking.objects.count() == 1


@pytest.mark.django_db
def test_case_022__booking_by_the_holder__confirms_the_hold():
    """The holder books the held slot"""
    dogger, u1 = room(), actor("U1")
    held = hold(dogger, u1)
    booked = book(dogger, SLOT, by=u1, clock=FixedClock(LAPSES - MILLISECOND))
    assert (booked.id, booked.state) == (held.id, BookingState.CONFIRMED)
    assert Booking.objects.get().state == BookingState.CONFIRMED


@pytest.mark.django_db(transaction=True)
def test_case_022__ten_holds_of_one_slot_at_once__one_is_stored():
    """Ten people hold one slot at once"""
    dogger, people = room(), [actor() for _ in range(10)]
    barrier = Barrier(len(people))

    def one(person: Actor) -> str:
        try:
            barrier.wait(timeout=20)
            return str(hold(dogger, person).state)
        except SlotTakenError as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        outcomes = sorted(pool.map(one, people))
    assert outcomes == ["held", *["slot_held"] * 9]


@pytest.mark.django_db
def test_case_023__slot_at_the_end_of_a_hold__is_free_without_cleanup():
    """A hold expires without any cleanup"""
    dogger = room()
    hold(dogger, actor("U1"))
    assert dogger.pk in unavailable_intervals([dogger], SLOT, now=LAPSES - MILLISECOND)
    assert not bookings_during(SLOT, now=LAPSES).exists()
    assert unavailable_intervals([dogger], SLOT, now=LAPSES) == {}
    assert Booking.objects.get().state == BookingState.HELD  # no cleanup has run
    book(dogger, SLOT, by=actor("U2"), clock=FixedClock(LAPSES))
    states = set(Booking.objects.values_list("state", flat=True))
    assert states == {BookingState.LAPSED, BookingState.CONFIRMED}


@pytest.mark.django_db
def test_case_023__slot_a_millisecond_before_the_end__is_still_held():
    """The last millisecond of a hold"""
    dogger = room()
    hold(dogger, actor("U1"))
    with pytest.raises(SlotTakenError) as refused:
        book(dogger, SLOT, by=actor("U2"), clock=FixedClock(LAPSES - MILLISECOND))
    assert refused.value.code == "slot_held"


@pytest.mark.django_db
def test_case_023__late_holder__gets_a_clear_refusal_or_holds_the_free_slot_again():
    """The holder returns after the end of the hold"""
    dogger, u1 = room(), actor("U1")
    held = hold(dogger, u1)
    with pytest.raises(ConflictError) as over:
        renew_hold(actor=u1, hold=held.id, clock=FixedClock(LAPSES))
    assert over.value.code == "hold_over"
    assert "other people can book" in over.value.detail
    again = hold(dogger, u1, FixedClock(LAPSES))  # the slot is free, so it can be held again
    release_hold(actor=u1, hold=again.id, clock=FixedClock(LAPSES))
    book(dogger, SLOT, by=actor("U2"), clock=FixedClock(LAPSES))
    with pytest.raises(SlotTakenError) as refused:
        book(dogger, SLOT, by=u1, clock=FixedClock(LAPSES))
    assert refused.value.code == "slot_taken"


@pytest.mark.django_db
def test_case_024__fourth_hold_of_one_person__is_refused_and_names_the_three():
    """A fourth hold of one person"""
    u1, rooms = actor("U1"), [room() for _ in range(4)]
    held = [hold(where, u1) for where in rooms[:3]]
    with pytest.raises(LimitExceededError) as refused:
        hold(rooms[3], u1)
    assert refused.value.code == "too_many_holds"
    assert refused.value.facts["limit"] == 3
    assert {one["hold"] for one in refused.value.facts["held"]} == {str(h.id) for h in held}
    hold(rooms[3], u1, FixedClock(LAPSES))  # the three holds have expired, stored or not


@pytest.mark.django_db(transaction=True)
def test_case_024__five_holds_at_once_in_five_rooms__three_are_stored():
    """One person holds five rooms at once"""
    u1, rooms = actor("U1"), [room() for _ in range(5)]
    barrier = Barrier(len(rooms))

    def one(where: Room) -> str:
        try:
            barrier.wait(timeout=20)
            return str(hold(where, u1).state)
        except LimitExceededError as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(rooms)) as pool:
        outcomes = sorted(pool.map(one, rooms))
    assert outcomes == ["held", "held", "held", "too_many_holds", "too_many_holds"]


@pytest.mark.django_db
def test_case_024__released_hold__frees_the_slot_at_once():
    """The holder releases the hold"""
    dogger, u1 = room(), actor("U1")
    held = hold(dogger, u1)
    version = Room.objects.get(pk=dogger.pk).schedule_version
    release_hold(actor=u1, hold=held.id, clock=NOON)
    assert Room.objects.get(pk=dogger.pk).schedule_version == version + 1  # screens get the change
    assert book(dogger, SLOT, by=actor("U2"), clock=NOON).state is BookingState.CONFIRMED


@pytest.mark.django_db
@pytest.mark.parametrize("renewals", [0, 4])
def test_case_025__hold_at_its_limit__is_removed_and_not_before(renewals: int):
    """An unfinished hold is removed at its limit, not before"""
    dogger, u1 = room(), actor("U1")
    held = hold(dogger, u1)
    for minute in range(1, renewals + 1):
        held = renew_hold(actor=u1, hold=held.id, clock=FixedClock(NOW + minute * MINUTE))
    limit = NOW + (2 + renewals) * MINUTE
    expire_due_bookings(room=dogger.uuid, clock=FixedClock(limit - MILLISECOND))
    assert Booking.objects.get().state == BookingState.HELD
    for _ in range(2):
        expire_due_bookings(room=dogger.uuid, clock=FixedClock(limit))
    assert Booking.objects.get().state == BookingState.LAPSED
    expired = AuditEntry.objects.get(command="expire_hold")
    assert (expired.at, expired.actor_name) == (limit, "system")
    assert f"{limit:%H:%M:%S}" in expired.reason
