"""What a room is right now, from its schedule, its sensors and the time. Pure: one function.

Displays, pages, API and tests all read the outcome of `derive`; nothing else decides a status.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from realtime.state.live_state import (
    Closure,
    Hold,
    Occupancy,
    RoomStatus,
    SensorHealth,
    Slot,
    SlotState,
)

ENDING_LEAD = timedelta(minutes=10)
SENSOR_STALE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Derived:
    """The outcome for one instant; it holds until `next_change_at`."""

    status: RoomStatus
    until: (
        datetime | None
    )  # when the room is next free (busy, closed) or taken (free); None: unknown
    next_change_at: datetime | None
    agenda: tuple[Slot, ...]
    current: Slot | None
    next: Slot | None
    closure: Closure | None
    occupancy: Occupancy
    holds: tuple[Hold, ...]
    next_public_change_at: datetime | None  # `next_change_at` if there were no holds


def derive(
    agenda: Sequence[Slot],
    closures: Sequence[Closure],
    occupancy: Occupancy,
    now: datetime,
    holds: Sequence[Hold] = (),
) -> Derived:
    """Return what holds at `now`, and until when.

    `agenda` is sorted by start and free of overlaps, with `holds`, too. A slot past its check-in
    instant is free here, whether its booking was released yet or not, and so are a request that
    nobody decided in time and a hold that has run out; a stale sensor neither fills nor empties a
    room. A held room has the `until` of a free one: so whoever may not know of holds is told the
    very same as without them.
    """
    slots = tuple(slot for slot in agenda if slot.end > now and not _is_given_back(slot, now))
    current = next((slot for slot in slots if slot.start <= now), None)
    upcoming = next((slot for slot in slots if slot.start > now), None)
    closure = next((c for c in closures if _runs(c.start, c.end, now)), None)
    seen = replace(occupancy, sensor=_sensor_health(occupancy, now))
    held = tuple(hold for hold in holds if hold.expires_at > now and hold.end > now)
    status, until = _status(slots, closures, current, closure, seen, now)
    if status is RoomStatus.FREE and any(hold.start <= now for hold in held):
        status = RoomStatus.HELD
    change = _next_change(slots, closures, seen, now)
    ends = (at for hold in held for at in (hold.start, hold.end, hold.expires_at) if at > now)
    return Derived(
        status=status,
        until=until,
        next_change_at=min((at for at in (change, *ends) if at is not None), default=None),
        agenda=slots,
        current=current,
        next=upcoming,
        closure=closure,
        occupancy=seen,
        holds=held,
        next_public_change_at=change if held else None,
    )


def _is_given_back(slot: Slot, now: datetime) -> bool:
    """Say whether nobody checked in to it, or decided about it, in time."""
    match slot.state:
        case SlotState.CONFIRMED:
            deadline = slot.check_in_until
        case SlotState.PENDING:
            deadline = slot.decide_until
        case SlotState.CHECKED_IN:
            deadline = None
    return deadline is not None and deadline <= now


def _runs(start: datetime, end: datetime | None, now: datetime) -> bool:
    return start <= now and (end is None or now < end)


def _sensor_health(occupancy: Occupancy, now: datetime) -> SensorHealth:
    if occupancy.observed_at is None:
        return SensorHealth.NONE
    is_stale = now - occupancy.observed_at >= SENSOR_STALE_AFTER
    return SensorHealth.STALE if is_stale else SensorHealth.OK


def _status(
    slots: Sequence[Slot],
    closures: Sequence[Closure],
    current: Slot | None,
    closure: Closure | None,
    occupancy: Occupancy,
    now: datetime,
) -> tuple[RoomStatus, datetime | None]:
    if closure is not None:
        return RoomStatus.OUT_OF_SERVICE, closure.end
    if current is None:
        if occupancy.is_sensed:
            return RoomStatus.OCCUPIED, None  # people came without a booking: nobody knows how long
        starts = [s.start for s in slots] + [c.start for c in closures if c.start > now]
        return RoomStatus.FREE, min(starts, default=None)
    if current.state is SlotState.CONFIRMED and current.check_in_until and not occupancy.is_sensed:
        return RoomStatus.RESERVED, current.check_in_until
    free_at = _end_of_run(slots, closures, current)
    if current.state is SlotState.PENDING and not occupancy.is_sensed:
        return RoomStatus.RESERVED, free_at
    is_ending = free_at is not None and free_at - now <= ENDING_LEAD
    return (RoomStatus.ENDING if is_ending else RoomStatus.OCCUPIED), free_at


def _end_of_run(
    slots: Sequence[Slot], closures: Sequence[Closure], current: Slot
) -> datetime | None:
    """Return when the room is free again: back-to-back bookings and closures are one run."""
    end = current.end
    taken: list[tuple[datetime, datetime | None]] = [(s.start, s.end) for s in slots]
    taken += [(c.start, c.end) for c in closures]
    for start, stretch_end in sorted(taken, key=lambda stretch: stretch[0]):
        if start > end:
            break
        if stretch_end is None:
            return None
        end = max(end, stretch_end)
    return end


def _next_change(
    slots: Sequence[Slot], closures: Sequence[Closure], occupancy: Occupancy, now: datetime
) -> datetime | None:
    instants: list[datetime | None] = []
    for slot in slots:
        instants += [slot.start, slot.end, slot.end - ENDING_LEAD]
        instants += [slot.check_in_until, slot.decide_until]
    for closure in closures:
        instants += [closure.start, closure.end, closure.end and closure.end - ENDING_LEAD]
    if occupancy.observed_at is not None:
        instants.append(occupancy.observed_at + SENSOR_STALE_AFTER)
    return min((at for at in instants if at is not None and at > now), default=None)
