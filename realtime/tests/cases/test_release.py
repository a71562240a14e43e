"""Numbered hard cases 78 and 80 to 82: release."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from channels.db import database_sync_to_async
from django.db import connection

from booking.commands.check_in import check_in
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.domain.states import BookingState
from booking.models import AuditEntry, Booking
from booking.repository import (
    bookings_during,
    rooms_with_something_due,
    unavailable_intervals,
)
from booking.tests.factories import at, book, hours
from identity.tests import factories as people
from meeting_rooms.kernel.actor import SYSTEM_ACTOR
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, FixedClock
from meeting_rooms.kernel.errors import ConflictError
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.tests.stack import PATIENCE_S
from realtime.state.live_state import RoomStatus
from realtime.worker.projector import Projector
from realtime.worker.worker import Worker
from rooms.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
MILLISECOND, SECOND, MINUTE = (
    timedelta(milliseconds=1), timedelta(seconds=1), timedelta(minutes=1),
)  # fmt: skip
make_room = database_sync_to_async(factories.room)
make_booking = database_sync_to_async(book)
call = database_sync_to_async
TEN_TO_ELEVEN, GRACE_ENDS = hours(10, 11), at(10, 10)
EARLIER = FixedClock(at(8))


def booked(where, **more):
    return book(where, TEN_TO_ELEVEN, clock=EARLIER, **more)


def test_case_078__checked_in_at_the_last_second_stays():
    """Check-in at 10:09:59"""
    facts = booked(factories.room())
    clock = FixedClock(at(10, 10) - SECOND)
    assert check_in(actor=SYSTEM_ACTOR, booking_id=facts.id, clock=clock).state == "checked_in"


def test_case_078__released_once_at_the_grace_instant_with_an_audit_entry():
    """Released exactly once at 10:10:00.000"""
    dogger = factories.room()
    facts = booked(dogger)
    expire_due_bookings(room=dogger.uuid, clock=FixedClock(GRACE_ENDS - MILLISECOND))
    assert Booking.objects.get().state == BookingState.CONFIRMED
    for later in (timedelta(0), timedelta(0), SECOND):
        expire_due_bookings(room=dogger.uuid, clock=FixedClock(GRACE_ENDS + later))
    outcome = AuditEntry.objects.get(command="release_no_show")  # the source of the mail
    assert (outcome.at, outcome.booking_id) == (GRACE_ENDS, facts.id)
    assert "10:10:00" in outcome.reason


def test_case_078__a_late_check_in_is_offered_the_rest_if_it_is_free():
    """A check-in at 10:10:01 is refused with the reason, and the rest can be booked again"""
    dogger, ann = factories.room(), people.actor()
    facts = booked(dogger, by=ann)
    late = FixedClock(GRACE_ENDS + SECOND)
    with pytest.raises(ConflictError) as refused:
        check_in(actor=ann, booking_id=facts.id, clock=late)
    assert refused.value.code == "released"
    assert refused.value.facts == {"room": str(dogger.uuid), "ends_at": at(11).isoformat()}
    again = book(dogger, Interval(late.now(), at(11)), by=ann, clock=late)
    assert again.state is BookingState.CHECKED_IN


async def test_case_082__released_and_pushed_within_a_second_with_no_display_connected(
    store, published
):
    """The release needs no display (and is pushed within a second, case 78)"""
    dogger = await make_room()
    now = SYSTEM_CLOCK.now()
    grace_ends = now + 1.5 * SECOND
    slot = Interval(grace_ends - 10 * MINUTE, now + 50 * MINUTE)
    facts = await make_booking(dogger, slot, clock=FixedClock(now - 120 * MINUTE))
    projector = Projector(store, published, SYSTEM_CLOCK)
    await projector.project(dogger.uuid)
    worker = asyncio.ensure_future(Worker(store, projector, SYSTEM_CLOCK).run())
    async with asyncio.timeout(PATIENCE_S):
        while published.states[-1].status is not RoomStatus.FREE:
            await asyncio.sleep(0.01)
        pushed_late = SYSTEM_CLOCK.now() - grace_ends
        released = AuditEntry.objects.filter(command="release_no_show", booking_id=facts.id)
        while not await released.aexists():
            await asyncio.sleep(0.01)
    worker.cancel()
    assert pushed_late >= timedelta(0)  # test_ticker checks the maximum delay
    assert (await released.aget()).at >= grace_ends


def test_case_080__check_in_and_release_in_the_same_millisecond_are_one_event():
    """Check-in and release at the same millisecond"""
    for _ in range(10):
        dogger = factories.room()
        facts = booked(dogger)
        barrier = Barrier(2)

        def check_in_at_once(facts=facts, barrier=barrier) -> str:
            barrier.wait(timeout=10)
            try:
                clock = FixedClock(GRACE_ENDS - MILLISECOND)
                return str(check_in(actor=SYSTEM_ACTOR, booking_id=facts.id, clock=clock).state)
            except ConflictError as lost:
                return lost.code
            finally:
                connection.close()

        def release(dogger=dogger, barrier=barrier) -> None:
            barrier.wait(timeout=10)
            expire_due_bookings(room=dogger.uuid, clock=FixedClock(GRACE_ENDS))
            connection.close()

        with ThreadPoolExecutor(2) as pool:
            settled, outcome = pool.submit(release), pool.submit(check_in_at_once).result(20)
            settled.result(20)
        state = Booking.objects.get(pk=facts.id).state
        assert outcome == state in (BookingState.CHECKED_IN, BookingState.RELEASED)
        events = AuditEntry.objects.filter(booking_id=facts.id).exclude(command="book_room")
        assert events.count() == 1


async def test_case_081__free_in_every_query_while_the_scheduler_is_down(projector, clock):
    """The scheduler is down from 09:55 to 10:30"""
    dogger, humber = await make_room("Dogger"), await make_room("Humber")
    no_show, came = await call(booked)(dogger), await call(booked)(humber)
    await call(check_in)(actor=SYSTEM_ACTOR, booking_id=came.id, clock=FixedClock(at(10, 5)))
    clock.advance(GRACE_ENDS - clock.now())
    state = await projector.project(dogger.uuid)
    assert (state.status, state.schedule.agenda) == (RoomStatus.FREE, ())
    await call(_assert_free_in_queries)(dogger, humber)
    back = FixedClock(at(10, 30))
    assert await call(rooms_with_something_due)(now=at(10, 30)) == [dogger.uuid]
    for where in (dogger, humber):
        await call(expire_due_bookings)(room=where.uuid, clock=back)
    late = await AuditEntry.objects.aget(command="release_no_show")
    assert (late.booking_id, late.at) == (no_show.id, at(10, 30))
    assert "10:10:00" in late.reason
    assert (await Booking.objects.aget(pk=came.id)).state == BookingState.CHECKED_IN


def _assert_free_in_queries(dogger, humber) -> None:
    rest = Interval(GRACE_ENDS, at(11))
    assert [b.room_id for b in bookings_during(rest, now=GRACE_ENDS)] == [humber.pk]
    assert unavailable_intervals([dogger, humber], rest, now=GRACE_ENDS).keys() == {humber.pk}
    assert dogger.pk in unavailable_intervals([dogger], rest, now=GRACE_ENDS - MILLISECOND)
    # the release has not run
    assert Booking.objects.get(room=dogger).state == BookingState.CONFIRMED
