"""What the whole board says of a building: how many rooms are free, and what starts next. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from frontend.domain.rows import short_name, shown_title
from frontend.domain.times import local_time
from realtime.state.live_state import LiveState, RoomStatus

HORIZON = timedelta(hours=2)
SHOWN = 3
_CANDIDATES = 6  # rendered, but hidden until they come into view: no push marks that instant
_LOOKAHEAD = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Start:
    """A booking about to start. `title` is empty where the reader may not know it."""

    at: datetime
    time: str
    title: str
    room: str
    floor: str
    arrow: str


def free_count(states: Sequence[LiveState]) -> int:
    """Return how many rooms one may walk into now."""
    return sum(state.status in (RoomStatus.FREE, RoomStatus.HELD) for state in states)


def soon(states: Sequence[LiveState], now: datetime) -> tuple[Start, ...]:
    """Return the next starts within two hours, at most three, earliest first."""
    near = (start for start in upcoming(states, now) if is_near(start, now))
    return tuple(near)[:SHOWN]


def upcoming(states: Sequence[LiveState], now: datetime) -> tuple[Start, ...]:
    """Return the starts from which the page picks as the minutes pass; `soon` is their head."""
    starts = sorted(_starts(states, now), key=lambda start: (start.at, start.room))
    return tuple(starts)[:_CANDIDATES]


def is_near(start: Start, now: datetime) -> bool:
    """Say whether the start belongs on the board at `now`."""
    return now < start.at <= now + HORIZON


def floor_label(state: LiveState) -> str:
    """Return a room's floor as one says it after its name: `floor 2`, `mezzanine`.

    Floor slugs are unique on the campus, so they begin with their building: `harbour-house-2`.
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
