"""Requirement P7 with an injected clock: a change by the clock is projected at its instant."""

from datetime import timedelta

import pytest
from channels.db import database_sync_to_async

from booking.tests.factories import at, book, hours
from realtime.state.live_state import RoomStatus
from realtime.worker.worker import TICK_MAX_S, TICK_MIN_S, Worker
from rooms.tests import factories

MILLISECOND = timedelta(milliseconds=1)
make_room = database_sync_to_async(factories.room)
make_booking = database_sync_to_async(book)


@pytest.mark.django_db(transaction=True)
async def test_tick__at_the_instant__projects_the_change(store, published, projector, clock):
    dogger = await make_room()
    await make_booking(dogger, hours(11, 12))
    await projector.project(dogger.uuid)
    clock.advance(at(11) - clock.now() - MILLISECOND)
    # a minute before that instant the shortest booking no longer fits
    await projector.project(dogger.uuid)
    worker = Worker(store, projector, clock)
    worker._on_time.set()
    await worker._tick()
    assert not worker._dirty._rooms, "a millisecond before there is nothing to do"
    clock.advance(MILLISECOND)
    await worker._tick()
    assert list(worker._dirty._rooms) == [dogger.uuid]
    await worker._drain()
    assert published.states[-1].status is RoomStatus.RESERVED


@pytest.mark.parametrize("ahead_s", [-60, 0, 0.001, 0.02, 0.3, 0.5, 2, 86_400])
def test_tick__until_the_next_instant__never_sleeps_too_long(store, projector, clock, ahead_s):
    sleeps_s = Worker(store, projector, clock)._until(clock.now() + timedelta(seconds=ahead_s))
    assert TICK_MIN_S <= sleeps_s <= max(TICK_MIN_S, ahead_s)
    assert sleeps_s <= TICK_MAX_S < 1


def test_tick__no_instant_ahead__checks_again_soon(store, projector, clock):
    assert Worker(store, projector, clock)._until(None) == TICK_MAX_S
