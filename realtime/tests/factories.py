"""Live states by intent. It is 12 March 2026, 10:00 UTC unless told otherwise."""

from dataclasses import replace
from datetime import datetime

from booking.tests.factories import NOW, at
from realtime.state.live_state import (
    LiveState,
    Occupancy,
    RoomStatus,
    Schedule,
    SensorHealth,
    Slot,
    SlotState,
)


def slot(start: datetime, end: datetime, *, waits_until: datetime | None = None,
         title: str = "Retro", private: bool = False) -> Slot:  # fmt: skip
    state = SlotState.CONFIRMED if waits_until else SlotState.CHECKED_IN
    return Slot("b", start, end, title, "Ann", private, state, waits_until)


def seen(count: int, when: datetime = NOW) -> Occupancy:
    return Occupancy(count, None, "s", when, SensorHealth.OK)


def live(room: str = "r1", version: int = 1, epoch: str = "e1", **changes) -> LiveState:
    state = LiveState(
        id=room, epoch=epoch, version=version, building="house", floor="house-1", slug=room,
        name=room, capacity=8, features=("display",), direction="left", timezone="Europe/Helsinki",
        is_public=True, shows_titles=True, status=RoomStatus.FREE, until=None,
        next_change_at=at(22), schedule=Schedule(1), closure=None, occupancy=Occupancy(),
        changed_at=NOW,
    )  # fmt: skip
    return replace(state, **changes)
