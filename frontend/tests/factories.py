"""Builders of live states. Their time is Thursday 12 November 2026, 10:24:06 in Amsterdam."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from realtime.state.live_state import (
    Closure,
    LiveState,
    Occupancy,
    RoomStatus,
    Schedule,
    Slot,
    SlotState,
)

ZONE = "Europe/Amsterdam"


def local(hour: int, minute: int = 0, *, day: int = 12, zone: str = ZONE) -> datetime:
    """Return an instant of November 2026, given as a local time."""
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


NOW = local(10, 24).replace(second=6)


def slot(start: datetime, end: datetime, title: str = "Design critique") -> Slot:
    """Return a checked-in booking."""
    return Slot("b-1", start, end, title, "", False, SlotState.CHECKED_IN, None)


def free_room(name: str = "Dogger", until: datetime | None = None) -> LiveState:
    """Return a free room on floor 2 with eight seats."""
    return LiveState(
        id=f"id-{name}",
        epoch="e1",
        version=1,
        building="harbour-house",
        floor="harbour-house-2",
        slug=name.lower(),
        name=name,
        capacity=8,
        features=(),
        direction="left",
        timezone=ZONE,
        shows_titles=True,
        is_public=True,
        status=RoomStatus.FREE,
        until=until,
        next_change_at=until,
        schedule=Schedule(version=1),
        closure=None,
        occupancy=Occupancy(),
        changed_at=NOW,
    )


def booked_room(
    status: RoomStatus, until: datetime | None, *, title: str = "Design critique"
) -> LiveState:
    """Return a room with a booking now."""
    current = slot(local(9), until or local(12), title)
    schedule = Schedule(version=1, current=current)
    return replace(free_room(until=until), status=status, schedule=schedule)


def sensed_room() -> LiveState:
    """Return a room with people in it and no booking."""
    return replace(free_room(), status=RoomStatus.OCCUPIED)


def closed_room(until: datetime | None, reason: str = "Screen being repaired") -> LiveState:
    """Return a room that is out of service."""
    closure = Closure(start=local(8), end=until, reason=reason)
    return replace(free_room(until=until), status=RoomStatus.OUT_OF_SERVICE, closure=closure)


def room_by_rules(refusal: str, until: datetime | None, *to_come: Slot) -> LiveState:
    """Return a room that cannot be booked now, with the code of the violated rule."""
    schedule = Schedule(version=1, agenda=to_come, next=next(iter(to_come), None))
    closed = replace(free_room(until=until), status=RoomStatus.CLOSED, refusal=refusal)
    return replace(closed, schedule=schedule)


def room_with_starts(name: str, *slots: Slot) -> LiveState:
    """Return a free room with future bookings."""
    return replace(free_room(name), schedule=Schedule(version=1, agenda=slots))
