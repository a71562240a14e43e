"""The rules of a room in its live state: read with the schedule, and updated when they change."""

from datetime import timedelta

import pytest
from channels.db import database_sync_to_async

from booking.commands.hold_slot import hold_slot
from booking.tests.factories import NOW, at, book, hours
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, FixedClock
from meeting_rooms.kernel.errors import UnavailableError
from meeting_rooms.kernel.interval import Interval
from realtime.protocol.messages import room_body
from realtime.state.audience import redact
from realtime.state.live_state import Audience, RoomStatus
from realtime.worker.projector import Projector
from realtime.worker.worker import Worker
from rooms.domain.effective_policy import Approval, BookableBy
from rooms.domain.policy_document import PolicyDocument
from rooms.models import Closure, Policy
from rooms.policies.set_policy import set_policy
from rooms.policies.store import room_scope
from rooms.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
make_room = database_sync_to_async(factories.room)
make_booking = database_sync_to_async(book)
set_rules = database_sync_to_async(factories.policy)
MORNING = FixedClock(at(6))  # the morning of NOW's day, for a booking that is over at NOW
AFTERNOON = factories.every_day("14:00", "18:00")  # local time in Helsinki, where NOW is 12:00


async def test_project__outside_opening_hours__is_closed_until_the_opening_time(
    store, projector, clock
):
    room = await make_room()
    await set_rules(room, hours=AFTERNOON)
    closed = await projector.project(room.uuid)
    assert (closed.status, closed.until, closed.next_change_at) == (
        RoomStatus.CLOSED, at(12), at(12),
    )  # fmt: skip
    assert await store.get(str(room.uuid)) == closed
    clock.advance(at(12) - clock.now())
    free = await projector.project(room.uuid)
    assert (free.status, free.until, free.refusal) == (RoomStatus.FREE, at(16), None)


async def test_project__closed_room__looks_equal_to_every_audience(projector):
    room = await make_room()
    await set_rules(room, hours=AFTERNOON)
    closed = await projector.project(room.uuid)
    for audience in Audience:
        body = room_body(redact(closed, audience))
        assert (body["status"], body["until"], body["refusal"]) == (
            "closed", at(12), "outside_opening_hours",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "until", "refusal"),
    [
        ({"gap_minutes": 15}, at(10, 10), "gap_too_short"),
        ({"one_booking_a_day": True}, at(22), "day_taken"),
    ],
)
async def test_project__booking_in_the_past__counts_for_a_rule_that_looks_back(
    projector, rules, until, refusal
):
    room = await make_room()
    await set_rules(room, check_in_required=False)
    await make_booking(room, Interval(at(9), at(9, 55)), clock=MORNING)
    assert (await projector.project(room.uuid)).status is RoomStatus.FREE
    await set_rules(room, **rules)
    state = await projector.project(room.uuid)
    assert (state.status, state.until, state.refusal) == (RoomStatus.CLOSED, until, refusal)
    assert state.schedule.agenda == ()


async def test_project__gap_of_another_part_of_the_hall__counts_around_its_booking(projector):
    hall, half, other = [await make_room() for _ in range(3)]
    await database_sync_to_async(factories.divide)(hall, half, other)
    await set_rules(half, gap_minutes=30)
    await make_booking(half, hours(11, 12))
    states = await projector.project_all([hall.uuid, half.uuid, other.uuid])
    assert states[hall.uuid].until == at(10, 30)
    assert states[other.uuid].until is None


async def test_project__closed_hall__closes_its_halves(projector):
    hall, half, other = [await make_room() for _ in range(3)]
    await database_sync_to_async(factories.divide)(hall, half, other)
    await Closure.objects.acreate(room=hall, starts_at=NOW, ends_at=at(12), reason="Paint")
    state = await projector.project(half.uuid)
    assert (state.status, state.until) == (RoomStatus.OUT_OF_SERVICE, at(12))


async def test_project__hold_with_its_gap__is_held_for_staff_and_free_for_the_public(projector):
    room = await make_room()
    await set_rules(room, gap_minutes=15, min_minutes=10)
    ann = await database_sync_to_async(actor)("Ann")
    soon = Interval(at(10, 20), at(11))
    await database_sync_to_async(hold_slot)(
        actor=ann, room=room.uuid, interval=soon, clock=FixedClock(NOW)
    )
    state = await projector.project(room.uuid)
    assert redact(state, Audience.STAFF).status is RoomStatus.HELD
    assert redact(state, Audience.PUBLIC).status is RoomStatus.FREE


@pytest.mark.parametrize(
    "rules", [{"bookable_by": BookableBy.LISTED}, {"approval": Approval.ALWAYS}]
)
async def test_project__only_some_people_may_book__is_free_and_walk_up_asks_to_sign_in(
    projector, rules
):
    room = await make_room()
    assert (await projector.project(room.uuid)).is_open_at_door
    await set_rules(room, **rules)
    state = await projector.project(room.uuid)
    assert (state.status, state.is_open_at_door) == (RoomStatus.FREE, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"hours": [{"weekday": 3, "opens": "14:00", "closes": "18:00"}]},
        {"notice_minutes": 60},
        {"min_minutes": 60, "max_minutes": 120},
        {"gap_minutes": 15},
        {"advance_days": 0},
        {"bookable_by": "managers"},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_set_policy__rule_shown_on_screens__marks_the_room(changes):
    room = await make_room()
    await change(room, **changes)
    await database_sync_to_async(room.refresh_from_db)()
    assert room.schedule_version == 2


async def test_set_policy__gap_of_a_half__marks_the_hall_and_all_parts():
    hall, half, other, beside = [await make_room() for _ in range(4)]
    await database_sync_to_async(factories.divide)(hall, half, other)
    await change(half, gap_minutes=30)
    for room, version in ((hall, 2), (half, 2), (other, 2), (beside, 1)):
        await database_sync_to_async(room.refresh_from_db)()
        assert room.schedule_version == version


async def test_sweep__rule_changed_without_a_command__reaches_the_screens_once(store, published):
    room = await make_room()
    worker = Worker(store, Projector(store, published, SYSTEM_CLOCK), SYSTEM_CLOCK)
    worker._on_time.set()
    await worker._sweep()
    await worker._drain()
    await worker._sweep()
    assert not worker._dirty._rooms
    await Policy.objects.acreate(room=room, notice_minutes=60)
    await worker._sweep()
    await worker._drain()
    assert published.states[-1].refusal == "too_short_notice"
    await worker._sweep()
    assert not worker._dirty._rooms


async def test_drain__store_away_after_a_change_of_rules__retries(store, published):
    room = await make_room()
    projector = Projector(store, published, SYSTEM_CLOCK)
    await projector.project(room.uuid)
    worker = Worker(store, projector, SYSTEM_CLOCK)
    worker._on_time.set()
    worker._dirty.add(room.uuid)
    await store.close()
    with pytest.raises(UnavailableError):
        await worker._drain()
    assert list(worker._dirty._rooms) == [room.uuid]


@database_sync_to_async
def change(room, **changes) -> None:
    set_policy(
        actor=actor(role=Role.ADMIN),
        scope=room_scope(room.uuid),
        changes=PolicyDocument.model_validate(changes),
        clock=FixedClock(NOW + timedelta(minutes=1)),
    )
