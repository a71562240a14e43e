"""The summary of a board: the number of free rooms, and the bookings that start next. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from frontend.domain.rows import short_name, shown_title
from frontend.domain.times import local_time
from realtime.state.live_state import LiveState, RoomStatus

HORIZON = timedelta(hours=2)  # a start is shown so long before; board.js has the same limits
SHOWN = 3  # starts
# Starts that are rendered. board.js shows a hidden one when it is within HORIZON, without a push.
_CANDIDATES = 6
_LOOKAHEAD = timedelta(hours=12)  # for _CANDIDATES


@dataclass(frozen=True, slots=True)
class Start:
    """A booking about to start. `title` is empty if it is redacted."""

    at: datetime
    time: str
    title: str
    room: str
    floor: str
    arrow: str


def free_count(states: Sequence[LiveState]) -> int:
    """Return the number of rooms without a booking now."""
    return sum(state.status in (RoomStatus.FREE, RoomStatus.HELD) for state in states)


def soon(states: Sequence[LiveState], now: datetime) -> tuple[Start, ...]:
    """Return the next starts within HORIZON, at most SHOWN, the earliest first."""
    near = (start for start in upcoming(states, now) if is_near(start, now))
    return tuple(near)[:SHOWN]


def upcoming(states: Sequence[LiveState], now: datetime) -> tuple[Start, ...]:
    """Return the next starts within _LOOKAHEAD; the page shows those of them that are near."""
    starts = sorted(_starts(states, now), key=lambda start: (start.at, start.room))
    return tuple(starts)[:_CANDIDATES]


def is_near(start: Start, now: datetime) -> bool:
    """Return whether the board shows the start at `now`."""
    return now < start.at <= now + HORIZON


def floor_label(state: LiveState) -> str:
    """Return the floor of a room as the text after its name: `floor 2`, `mezzanine`.

    Floor slugs are unique on the campus, so they begin with the building: `harbour-house-2`.
    """
    slug = state.floor.removeprefix(f"{state.building}-")
    if slug == "0":
        return "ground floor"
    if slug.removeprefix("-").isdecimal():
        return f"floor {slug}"
    return slug.replace("-", " ")


def _starts(states: Sequence[LiveState], now: datetime) -> Iterator[Start]:
    for state in states:
        for slot in state.schedule.agenda:
            if now < slot.start <= now + _LOOKAHEAD:
                yield Start(
                    at=slot.start,
                    time=local_time(slot.start, state.timezone, slot.start),
                    title=shown_title(slot.title),
                    room=short_name(state.name)[0],
                    floor=floor_label(state),
                    arrow=state.direction,
                )
