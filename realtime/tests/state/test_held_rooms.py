"""Holds and unapproved requests in the live state: which parts each audience can read."""

from dataclasses import replace
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async

from booking.commands.hold_slot import hold_slot
from booking.tests.factories import NOW, at, book, hours
from booking.tests.room_rules import rules
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from realtime.protocol.messages import encode, room_body
from realtime.state.audience import redact
from realtime.state.live_state import (
    Audience,
    Closure,
    Hold,
    LiveState,
    Occupancy,
    RoomStatus,
    Schedule,
    SlotState,
)
from realtime.tests.factories import derived, live, seen, slot
from rooms.domain.effective_policy import Approval
from rooms.tests import factories

MINUTE, MILLISECOND = timedelta(minutes=1), timedelta(milliseconds=1)
NO_PEOPLE = Occupancy()
HOLD = Hold("h", NOW, at(11), "Ann", NOW + 2 * MINUTE)
PENDING = replace(slot(NOW, at(11)), state=SlotState.PENDING)


def test_derive__held_now__is_held_until_the_next_booking():
    held = derived([slot(at(12), at(13))], [], NO_PEOPLE, NOW, [HOLD])
    assert (held.status, held.until) == (RoomStatus.HELD, at(12))
    assert (held.holds, held.next_change_at) == ((HOLD,), NOW + 2 * MINUTE)
    assert held.next_public_change_at == at(11, 59) + MILLISECOND


def test_derive__hold_expires__is_free_at_that_instant():
    after = derived([], [], NO_PEOPLE, NOW + 2 * MINUTE, [HOLD])
    assert (after.status, after.holds, after.next_change_at) == (RoomStatus.FREE, (), None)


def test_derive__held_for_later__is_free_now():
    later = replace(HOLD, start=NOW + MINUTE)
    state = derived([], [], NO_PEOPLE, NOW, [later])
    assert (state.status, state.holds) == (RoomStatus.FREE, (later,))
    assert state.next_change_at == NOW + MILLISECOND
    assert derived([], [], NO_PEOPLE, NOW + MILLISECOND, [later]).status is RoomStatus.HELD


def test_derive__gap_around_a_hold__is_held():
    soon = replace(HOLD, start=at(10, 20))
    room = rules(gap_minutes=15, min_minutes=10)
    assert derived([], [], NO_PEOPLE, NOW, [soon], room).status is RoomStatus.HELD
    assert derived([], [], NO_PEOPLE, NOW, [soon]).status is RoomStatus.FREE


@pytest.mark.parametrize(
    ("closures", "occupancy", "status"),
    [
        ([Closure(NOW, at(12), "Paint")], NO_PEOPLE, RoomStatus.OUT_OF_SERVICE),
        ([], seen(2), RoomStatus.OCCUPIED),
    ],
)
def test_derive__held_and_another_status__is_the_other_status(closures, occupancy, status):
    assert derived([], closures, occupancy, NOW, [HOLD]).status is status


def test_derive__unapproved_request_runs__waits_until_its_end():
    state = derived([PENDING], [], NO_PEOPLE, NOW)
    assert (state.status, state.until) == (RoomStatus.RESERVED, at(11))
    assert derived([PENDING], [], seen(2), NOW).status is RoomStatus.OCCUPIED


def test_derive__request_expires_undecided__is_free_from_that_instant():
    late = replace(PENDING, start=at(11), end=at(12), decide_until=at(11))
    assert derived([late], [], NO_PEOPLE, NOW).until == at(11)
    after = derived([late], [], NO_PEOPLE, at(11))
    assert (after.status, after.agenda, after.until) == (RoomStatus.FREE, (), None)


def held_room(**changes) -> LiveState:
    return live(
        status=RoomStatus.HELD,
        until=at(12),
        next_change_at=HOLD.expires_at,
        next_public_change_at=at(22),
        holds=(HOLD,),
        **changes,
    )


def test_redact__public__is_equal_with_and_without_a_hold():
    without = live(until=at(12), next_change_at=at(22))
    assert redact(held_room(), Audience.PUBLIC) == redact(without, Audience.PUBLIC)
    assert "Ann" not in encode(room_body(redact(held_room(), Audience.PUBLIC)))


def test_redact__staff__contains_the_holder_and_the_expiry():
    body = room_body(redact(held_room(), Audience.STAFF))
    assert body["status"] == "held"
    assert body["holds"] == [
        {"id": "h", "start": NOW, "end": at(11), "holder": "Ann", "expires_at": NOW + 2 * MINUTE}
    ]
    assert "next_public_change_at" not in body


def test_redact__unapproved_title__is_sent_to_staff_only():
    state = live(schedule=Schedule(1, agenda=(PENDING,), current=PENDING))
    [public], [staff] = (
        redact(state, a).schedule.agenda for a in (Audience.PUBLIC, Audience.STAFF)
    )
    assert (public.title, public.state) == ("Busy", SlotState.PENDING)
    assert staff.title == "Retro"


def test_document__of_an_older_release__has_no_holds():
    doc = live().as_document()
    del doc["holds"], doc["next_public_change_at"]
    assert LiveState.from_document(doc) == live()


def test_document__with_holds__is_read_back_equal():
    assert LiveState.from_document(held_room().as_document()) == held_room()


@pytest.mark.django_db(transaction=True)
async def test_project__hold__begins_and_expires_by_the_clock(store, projector, published, clock):
    room = await database_sync_to_async(factories.room)()
    first = await projector.project(room.uuid)
    ann = await database_sync_to_async(actor)("Ann")
    facts = await database_sync_to_async(hold_slot)(
        actor=ann, room=room.uuid, interval=Interval(NOW, at(11)), clock=FixedClock(NOW)
    )
    held = await projector.project(room.uuid)
    assert (held.version, held.status) == (first.version + 1, RoomStatus.HELD)
    assert held.holds == (replace(HOLD, id=str(facts.id)),)
    assert await store.get(held.id) == held
    assert room.uuid in await store.due(NOW + 2 * MINUTE)
    clock.advance(2 * MINUTE)
    free = await projector.project(room.uuid)  # no command expired the hold
    assert (free.version, free.status, free.holds) == (held.version + 1, RoomStatus.FREE, ())
    assert free.changed_at == NOW + 2 * MINUTE
    assert len(published.states) == 3


@pytest.mark.django_db(transaction=True)
async def test_project__pending_request__is_in_the_agenda(projector):
    room = await database_sync_to_async(factories.room)()
    await database_sync_to_async(factories.policy)(room, approval=Approval.ALWAYS)
    await database_sync_to_async(book)(room, hours(11, 12))
    [pending] = (await projector.project(room.uuid)).schedule.agenda
    assert (pending.state, pending.check_in_until) == (SlotState.PENDING, None)
    assert pending.decide_until == at(11)
