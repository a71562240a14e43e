"""Numbered hard cases 88 and 89: how sensor readings change bookings."""

from datetime import timedelta
from itertools import permutations

import pytest
from channels.db import database_sync_to_async

from booking.commands.check_in import check_in
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.domain.states import BookingState
from booking.models import AuditEntry, Booking
from booking.tests.factories import at, book, hours
from identity.tests import factories as people
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from realtime.state.absence import empty_for
from realtime.state.live_state import RoomStatus, SensorHealth
from realtime.store.live_store import Reading
from realtime.worker.end_abandoned import AbsenceWatch
from realtime.worker.record_occupancy import OccupancySink
from rooms.domain.effective_policy import Presence
from rooms.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)
make_room = database_sync_to_async(factories.room)
call = database_sync_to_async
TEN_TO_ELEVEN, GRACE_ENDS = hours(10, 11), at(10, 10)


def booked(where):
    return book(where, TEN_TO_ELEVEN, clock=FixedClock(at(8)))


class Sensor:
    """A room with a sensor, whose readings arrive at the clock's time."""

    def __init__(self, store, projector, clock, room) -> None:
        self.sink = OccupancySink(store, projector, clock)
        self.watch = AbsenceWatch(store, clock)
        self.clock, self.room = clock, room

    async def reads(self, count: int, made_at=None):
        """Send a reading. By default the sensor made the reading at the time of sending."""
        made_at = made_at or self.clock.now()
        return await self.sink.record(Reading(self.room.uuid, count, None, "ceiling-1", made_at))

    async def is_at(self, *moment: int) -> None:
        """Set the clock to a time of the day, and let the worker process the rooms."""
        self.clock.advance(at(*moment) - self.clock.now())
        await self.sink.projector.project(self.room.uuid)
        await self.watch.end_abandoned()


@pytest.fixture
async def sensor(store, projector, clock) -> Sensor:
    made = Sensor(store, projector, clock, await make_room())
    await projector.project(made.room.uuid)
    return made


@pytest.mark.parametrize(
    ("presence", "state"),
    [
        (Presence.CHECKS_IN, BookingState.CHECKED_IN),
        (Presence.WARNS, BookingState.RELEASED),
        (Presence.IGNORED, BookingState.RELEASED),
    ],
)
async def test_case_088__a_reading_with_people_checks_in_only_if_the_policy_allows_it(
    sensor, presence, state
):
    """The sensor sees people and no person has checked in"""
    await call(factories.policy)(sensor.room, presence=presence)
    facts = await call(booked)(sensor.room)
    await sensor.is_at(10, 2)
    seen = await sensor.reads(3)
    assert seen.status is RoomStatus.OCCUPIED
    await call(expire_due_bookings)(room=sensor.room.uuid, clock=FixedClock(GRACE_ENDS))
    assert (await Booking.objects.aget(pk=facts.id)).state == state


async def checked_in(sensor: Sensor, minutes: int | None):
    await call(factories.policy)(sensor.room, absence_minutes=minutes)
    facts = await call(booked)(sensor.room)
    await call(check_in)(
        actor=await call(people.actor)(), booking_id=facts.id, clock=FixedClock(at(10, 1))
    )
    return facts


async def test_case_088__an_empty_room_for_the_minutes_of_the_policy_ends_the_booking(sensor):
    """Checked in, and the sensor reports an empty room"""
    facts = await checked_in(sensor, 15)
    for minute in range(5, 21, 5):  # at 10:05, 10:10, 10:15 and 10:20
        await sensor.is_at(10, minute)
        await sensor.reads(0)
        await sensor.is_at(10, minute)
    stored = await Booking.objects.aget(pk=facts.id)
    assert stored.interval == Interval(at(10), at(10, 20))
    entry = await AuditEntry.objects.aget(command="end_booking")
    assert (entry.at, entry.actor_kind, entry.actor_name) == (at(10, 20), "sensor", "ceiling-1")
    assert entry.reason == "ceiling-1 has seen no people for 15 minutes"
    await sensor.watch.end_abandoned()  # a second run ends nothing
    assert await AuditEntry.objects.filter(command="end_booking").acount() == 1


@pytest.mark.parametrize("minutes", [16, None, 0], ids=["not_yet", "no_such_policy", "never"])
async def test_case_088__an_empty_room_for_fewer_minutes_ends_nothing(sensor, minutes):
    """Empty for less than the policy says, or no policy"""
    facts = await checked_in(sensor, minutes)
    for minute in range(5, 21, 5):
        await sensor.is_at(10, minute)
        await sensor.reads(0)
        await sensor.is_at(10, minute)
    assert (await Booking.objects.aget(pk=facts.id)).interval == TEN_TO_ELEVEN


async def test_case_088__a_sensor_that_falls_silent_or_stale_never_releases(sensor):
    """The sensor falls silent"""
    facts = await checked_in(sensor, 15)
    await sensor.is_at(10, 5)
    await sensor.reads(0)
    for minute in (10, 14, 15, 20, 30, 45, 59):  # stale from 10:15 on
        await sensor.is_at(10, minute)
    state = await sensor.sink.store.get(str(sensor.room.uuid))
    assert state.occupancy.sensor is SensorHealth.STALE
    assert (await Booking.objects.aget(pk=facts.id)).interval == TEN_TO_ELEVEN


async def test_case_088__an_interval_without_readings_does_not_prove_absence(sensor):
    """The sensor sent nothing for half an hour"""
    facts = await checked_in(sensor, 15)
    for minute in (5, 35, 40, 45):
        await sensor.is_at(10, minute)
        await sensor.reads(0)
        await sensor.is_at(10, minute)
    assert (await Booking.objects.aget(pk=facts.id)).interval == TEN_TO_ELEVEN
    await sensor.is_at(10, 50)
    await sensor.reads(0)
    await sensor.is_at(10, 50)
    assert (await Booking.objects.aget(pk=facts.id)).interval == Interval(at(10), at(10, 50))


async def test_case_088__absence_counts_from_the_check_in(sensor):
    """The organizer checked in on the way to the room"""
    await call(factories.policy)(sensor.room, absence_minutes=5)
    facts = await call(booked)(sensor.room)
    await sensor.is_at(10, 0)
    await sensor.reads(0)
    ann, on_the_way = await call(people.actor)(), FixedClock(at(10, 4))
    await call(check_in)(actor=ann, booking_id=facts.id, clock=on_the_way)
    for minute, end in ((5, at(11)), (8, at(11)), (9, at(10, 9))):
        await sensor.is_at(10, minute)
        await sensor.reads(0)
        await sensor.is_at(10, minute)
        assert (await Booking.objects.aget(pk=facts.id)).interval.end == end


READINGS = [(0, at(10, 1)), (3, at(10, 3)), (3, at(10, 3)), (0, at(10, 5))]


@pytest.mark.parametrize("order", sorted(set(permutations(READINGS))))
async def test_case_089__late_repeated_and_reordered_readings_end_the_same(sensor, order):
    """Readings of the last five minutes in any order"""
    facts = await call(booked)(sensor.room)
    await sensor.is_at(10, 6)
    for count, made_at in order:
        await sensor.reads(count, made_at)
    state = await sensor.sink.projector.project(sensor.room.uuid)
    assert (state.occupancy.count, state.occupancy.observed_at) == (0, at(10, 5))
    assert state.status is RoomStatus.OCCUPIED  # checked in by the reading of 10:03
    assert (await Booking.objects.aget(pk=facts.id)).state == BookingState.CHECKED_IN


async def test_case_089__two_sensors_at_one_instant_end_the_same(store, projector, clock):
    """Two readings of one instant"""
    ends = []
    for order in ((0, 4), (4, 0)):
        sensor_room = Sensor(store, projector, clock, await make_room())
        for count in order:
            state = await sensor_room.reads(count, at(9, 59))
        ends.append((state.occupancy.count, state.status))
    assert ends == [(4, RoomStatus.OCCUPIED)] * 2


@pytest.mark.parametrize("order", list(permutations([0, 5, 10])))
def test_case_089__absence_is_the_same_in_any_order(order):
    """The room is empty for equally long, in any order of the readings"""
    readings = [(at(10, minute), False) for minute in order] * 2
    assert empty_for(readings, since=at(10), now=at(10, 11)) == 10 * MINUTE
    seen = [*readings, (at(10, 5), True)]
    assert empty_for(seen, since=at(10), now=at(10, 11)) == timedelta(0)
    # no reading since then
    assert empty_for(readings, since=at(10), now=at(10, 20)) == timedelta(0)
    assert empty_for(readings, since=at(10, 4), now=at(10, 11)) == 6 * MINUTE
