"""Factories of live states. By default the time is 12 March 2026, 10:00 UTC."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from booking.tests.factories import NOW, at
from booking.tests.room_rules import rules
from realtime.state.derive_status import Derived, derive
from realtime.state.live_state import (
    Closure,
    Hold,
    LiveState,
    Occupancy,
    RoomStatus,
    Schedule,
    SensorHealth,
    Slot,
    SlotState,
)
from rooms.domain.effective_policy import RoomPolicy


def slot(start: datetime, end: datetime, *, waits_until: datetime | None = None,
         title: str = "Retro", private: bool = False) -> Slot:  # fmt: skip
    state = SlotState.CONFIRMED if waits_until else SlotState.CHECKED_IN
    return Slot("b", start, end, title, "Ann", private, state, waits_until)


def seen(count: int, when: datetime = NOW) -> Occupancy:
    return Occupancy(count, None, "s", when, SensorHealth.OK)


def too_late(hour: int) -> datetime:
    """Return the first instant at which the shortest booking, one minute, ends after `hour`."""
    return at(hour) - timedelta(minutes=1) + timedelta(milliseconds=1)


def live(room: str = "r1", version: int = 1, epoch: str = "e1", **changes) -> LiveState:
    state = LiveState(
        id=room, epoch=epoch, version=version, building="house", floor="house-1", slug=room,
        name=room, capacity=8, features=("display",), direction="left", timezone="Europe/Helsinki",
        is_public=True, shows_titles=True, status=RoomStatus.FREE, until=None,
        next_change_at=at(22), schedule=Schedule(1), closure=None, occupancy=Occupancy(),
        changed_at=NOW,
    )  # fmt: skip
    return replace(state, **changes)


def derived(
    agenda: Sequence[Slot],
    closures: Sequence[Closure],
    occupancy: Occupancy,
    now: datetime,
    holds: Sequence[Hold] = (),
    room: RoomPolicy | None = None,
) -> Derived:
    """Derive the state of a room at `now`. By default the room has no rules and is always open."""
    return derive(agenda, closures, occupancy, now, holds, room=room or rules())
