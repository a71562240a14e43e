"""Numbered hard cases 22 to 25: holds."""

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
def test_case_022__another_persons_booking_is_refused_as_held_and_says_until_when():
    """Somebody else holds the slot"""
    dogger = room()
    hold(dogger, actor("U1"))
    with pytest.raises(SlotTakenError) as refused:
        book(dogger, SLOT, by=actor("U2"), clock=NOON)
    assert refused.value.code == "slot_held"
    assert datetime.fromisoformat(refused.value.facts["held_until"]) == LAPSES
    assert Booking.objects.count() == 1


@pytest.mark.django_db
def test_case_022__the_holders_own_booking_is_the_hold_confirmed():
    """The holder books what is held"""
    dogger, u1 = room(), actor("U1")
    held = hold(dogger, u1)
    booked = book(dogger, SLOT, by=u1, clock=FixedClock(LAPSES - MILLISECOND))
    assert (booked.id, booked.state) == (held.id, BookingState.CONFIRMED)
    assert Booking.objects.get().state == BookingState.CONFIRMED


@pytest.mark.django_db(transaction=True)
def test_case_022__of_many_who_hold_at_once_one_has_it():
    """Ten people hold one slot at once"""
    dogger, people = room(), [actor() for _ in range(10)]
    together = Barrier(len(people))

    def one(person: Actor) -> str:
        try:
            together.wait(timeout=20)
            return str(hold(dogger, person).state)
        except SlotTakenError as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        outcomes = sorted(pool.map(one, people))
    assert outcomes == ["held", *["slot_held"] * 9]


@pytest.mark.django_db
def test_case_023__at_the_instant_it_runs_out_the_slot_is_anybodys_without_a_cleaner():
    """A hold runs out while nobody cleans up"""
    dogger = room()
    hold(dogger, actor("U1"))
    assert dogger.pk in unavailable_intervals([dogger], SLOT, now=LAPSES - MILLISECOND)
    assert not bookings_during(SLOT, now=LAPSES).exists()
    assert unavailable_intervals([dogger], SLOT, now=LAPSES) == {}
    assert Booking.objects.get().state == BookingState.HELD  # nothing has run
    book(dogger, SLOT, by=actor("U2"), clock=FixedClock(LAPSES))
    states = set(Booking.objects.values_list("state", flat=True))
    assert states == {BookingState.LAPSED, BookingState.CONFIRMED}


@pytest.mark.django_db
def test_case_023__a_millisecond_before_it_is_still_held():
    """The last millisecond of a hold"""
    dogger = room()
    hold(dogger, actor("U1"))
    with pytest.raises(SlotTakenError) as refused:
        book(dogger, SLOT, by=actor("U2"), clock=FixedClock(LAPSES - MILLISECOND))
    assert refused.value.code == "slot_held"


@pytest.mark.django_db
def test_case_023__the_late_holder_is_told_clearly_or_books_what_is_still_free():
    """The holder comes too late"""
    dogger, u1 = room(), actor("U1")
    held = hold(dogger, u1)
    with pytest.raises(ConflictError) as over:
        renew_hold(actor=u1, hold=held.id, clock=FixedClock(LAPSES))
    assert over.value.code == "hold_over"
    assert "other people can book" in over.value.detail
    again = hold(dogger, u1, FixedClock(LAPSES))  # free still: held again
    release_hold(actor=u1, hold=again.id, clock=FixedClock(LAPSES))
    book(dogger, SLOT, by=actor("U2"), clock=FixedClock(LAPSES))
    with pytest.raises(SlotTakenError) as refused:
        book(dogger, SLOT, by=u1, clock=FixedClock(LAPSES))
    assert refused.value.code == "slot_taken"


@pytest.mark.django_db
def test_case_024__a_person_holds_three_slots_and_is_told_which():
    """A fourth hold of one person"""
    u1, rooms = actor("U1"), [room() for _ in range(4)]
    held = [hold(where, u1) for where in rooms[:3]]
    with pytest.raises(LimitExceededError) as refused:
        hold(rooms[3], u1)
    assert refused.value.code == "too_many_holds"
    assert refused.value.facts["limit"] == 3
    assert {one["hold"] for one in refused.value.facts["held"]} == {str(h.id) for h in held}
    hold(rooms[3], u1, FixedClock(LAPSES))  # those have run out, settled or not


@pytest.mark.django_db(transaction=True)
def test_case_024__five_at_once_in_five_rooms_are_three_holds():
    """One person holds five rooms at once"""
    u1, rooms = actor("U1"), [room() for _ in range(5)]
    together = Barrier(len(rooms))

    def one(where: Room) -> str:
        try:
            together.wait(timeout=20)
            return str(hold(where, u1).state)
        except LimitExceededError as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(rooms)) as pool:
        outcomes = sorted(pool.map(one, rooms))
    assert outcomes == ["held", "held", "held", "too_many_holds", "too_many_holds"]


@pytest.mark.django_db
def test_case_024__let_go_it_is_free_at_once():
    """The holder leaves"""
    dogger, u1 = room(), actor("U1")
    held = hold(dogger, u1)
    version = Room.objects.get(pk=dogger.pk).schedule_version
    release_hold(actor=u1, hold=held.id, clock=NOON)
    assert Room.objects.get(pk=dogger.pk).schedule_version == version + 1  # screens hear of it
    assert book(dogger, SLOT, by=actor("U2"), clock=NOON).state is BookingState.CONFIRMED


@pytest.mark.django_db
@pytest.mark.parametrize("renewals", [0, 4])
def test_case_025__kept_until_its_limit_and_gone_at_it(renewals: int):
    """What nobody finishes is cleared at its limit, not before"""
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
