"""How a board shows held rooms and requests without approval."""

from dataclasses import replace
from datetime import timedelta

from booking.tests.factories import NOW, at
from frontend.domain.rows import room_row
from frontend.domain.soon import free_count
from realtime.state.audience import redact
from realtime.state.live_state import Audience, Hold, LiveState, RoomStatus, Schedule, SlotState
from realtime.tests.factories import live, slot

HOLD = Hold("h", NOW, at(11), "Ann", NOW + timedelta(minutes=2))
PENDING = replace(slot(NOW, at(11)), state=SlotState.PENDING)


def held_room() -> LiveState:
    return live(status=RoomStatus.HELD, until=at(12), holds=(HOLD,))


def test_board__held_room__is_free_and_counted_as_free():
    row = room_row(held_room(), NOW)
    assert (row.kind, row.word) == ("free", "Free")
    assert free_count([held_room(), live()]) == 2


def test_board__request_not_approved_at_its_start__shows_waiting():
    state = live(
        status=RoomStatus.RESERVED, until=at(11), schedule=Schedule(1, (PENDING,), PENDING)
    )
    row = room_row(redact(state, Audience.PUBLIC), NOW)
    assert (row.kind, row.word, row.sub) == ("wait", "Waiting", "awaiting approval")
