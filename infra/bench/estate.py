"""The rooms of a measurement: generated live states of one building."""

import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.protocol import messages
from realtime.state.live_state import LiveState, Occupancy, RoomStatus, Schedule
from realtime.state.topics import Topic

BUILDING = "bench"
EPOCH = "bench0000000"


@dataclass(slots=True)
class Estate:
    """Rooms of one building, each with its newest state.

    The name of a room has the instant at which its state was made, `t=` and CLOCK_MONOTONIC ns, so
    a client on the same machine can compute the lag of the frame.
    """

    size: int
    building: str = BUILDING
    states: list[LiveState] = field(init=False)

    def __post_init__(self) -> None:
        self.states = [self._first(n) for n in range(self.size)]

    @property
    def topic(self) -> Topic:
        """The topic of all these rooms."""
        return Topic("building", self.building)

    def change(self, room: int) -> LiveState:
        """Make and return the room's next state."""
        held = self.states[room]
        self.states[room] = replace(
            held,
            version=held.version + 1,
            name=f"t={time.monotonic_ns()}",
            changed_at=_now_ms(),
        )
        return self.states[room]

    def text(self, state: LiveState) -> str:
        """Return the frame that the product sends, so that peers send the same text."""
        return messages.room(str(self.topic), messages.encode(messages.room_body(state)))

    def snapshot(self) -> str:
        """Return the snapshot that the product sends, so that peers send the same text."""
        bodies = [messages.encode(messages.room_body(state)) for state in self.states]
        return messages.snapshot(str(self.topic), _now_ms(), bodies, (), full=True)

    def _first(self, number: int) -> LiveState:
        now = _now_ms()
        return LiveState(
            id=str(UUID(int=0xBE0000 + number)),
            epoch=EPOCH,
            version=1,
            building=self.building,
            floor=f"{self.building}-{number % 2}",
            slug=f"room-{number}",
            name=f"t={time.monotonic_ns()}",
            capacity=8,
            features=("display", "whiteboard"),
            direction="left",
            timezone="Europe/Helsinki",
            is_public=True,
            shows_titles=True,
            status=RoomStatus.FREE,
            until=now + timedelta(hours=2),
            next_change_at=now + timedelta(hours=2),
            schedule=Schedule(1),
            closure=None,
            occupancy=Occupancy(),
            changed_at=now,
        )


def _now_ms() -> datetime:
    """Return the present instant in milliseconds, the precision of MongoDB."""
    now = SYSTEM_CLOCK.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
