"""Derive the status of a room from its schedule, its policy, its sensors and the time. Pure.

Displays, pages, API and tests all use the result of `derive`; no other code decides a status.
Free means bookable: the rules of `booking.domain.policy_checks` accept a booking that begins now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import ClosureFacts, RoomContext
from booking.domain.policy_checks import bookable_again, free_until, refusal_at, turning_points
from booking.domain.states import BookingState
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import start_of_day
from realtime.state.live_state import (
    Closure,
    Hold,
    Occupancy,
    RoomStatus,
    SensorHealth,
    Slot,
    SlotState,
)
from rooms.domain.effective_policy import RoomPolicy

ENDING_LEAD = timedelta(minutes=10)  # status `ending` begins this long before the end
SENSOR_STALE_AFTER = timedelta(minutes=10)  # without a reading
NO_OTHER_ROOMS: Mapping[str, int] = MappingProxyType({})
DAYS_SHOWN = timedelta(days=2)  # today and tomorrow
NO_BOOKING_ID = UUID(int=0)  # the checks of one room do not read ids of bookings


@dataclass(frozen=True, slots=True)
class Derived:
    """The status and its details at one instant; valid until `next_change_at`.

    `until`: for a busy room, when its bookings end; for a closed or unattended room, when the room
    can be booked again; for a free room, until when it can be booked. None: unknown. `refusal`: for
    a closed room, the error code that a booking from now on would get.
    """

    status: RoomStatus
    until: datetime | None
    refusal: str | None
    next_change_at: datetime | None
    agenda: tuple[Slot, ...]
    current: Slot | None
    next: Slot | None
    closure: Closure | None
    occupancy: Occupancy
    holds: tuple[Hold, ...]
    next_public_change_at: datetime | None  # `next_change_at` without holds


@dataclass(frozen=True, slots=True)
class Moment:
    """A room with its bookings and closures at one instant: the input of the policy checks."""

    room: RoomPolicy
    known: RoomContext
    now: datetime

    @property
    def horizon(self) -> datetime:
        """Return the end of the room's next local day: later times are not considered."""
        today = self.now.astimezone(self.room.zone).date()
        return start_of_day(today + DAYS_SHOWN, self.room.zone)

    def refusal(self, at: datetime | None = None) -> str | None:
        """Return the error code of a booking from `at` (default: now) on; None if it is allowed."""
        return refusal_at(self.room, self.known, at or self.now)

    def free_until(self) -> datetime | None:
        """Return until when the room can be booked; None: at least until the horizon."""
        end = free_until(self.room, self.known, self.now, self.horizon)
        return end if end < self.horizon else None

    def bookable_again(self) -> datetime | None:
        """Return when the room can be booked again; None: not before the horizon."""
        return bookable_again(self.room, self.known, self.now, self.horizon)

    def next_turn(self, before: datetime | None) -> datetime | None:
        """Return when `refusal` next changes by time; `before`, or None, if it does not change."""
        refusal = self.refusal()
        instants = turning_points(self.room, self.known, self.now, before or self.horizon)
        return next((at for at in instants if self.refusal(at) != refusal), before)


def derive(
    agenda: Sequence[Slot],
    closures: Sequence[Closure],
    occupancy: Occupancy,
    now: datetime,
    holds: Sequence[Hold] = (),
    *,
    room: RoomPolicy,
    elsewhere: Mapping[str, int] = NO_OTHER_ROOMS,
) -> Derived:
    """Return the status of a room at `now` and its details.

    `agenda` is sorted by start; its slots and `holds` do not overlap. It has all slots that the
    checks of `room` read, also ended ones and ones beyond the horizon, which the result omits.
    `elsewhere` has, by booking, the id of the room if it is another part of the same hall.

    Slots after their check-in deadline, requests after their decision deadline and expired holds
    count as free, even if the worker has not released them yet. A stale sensor changes no status.
    A held room has the `until` of a free room, so the public gets the same values as without holds.
    """
    taking = [slot for slot in agenda if not _is_lapsed(slot, now)]
    known = RoomContext(
        tuple(_facts(slot.booking, slot, room, elsewhere) for slot in taking),
        tuple(ClosureFacts(c.start, c.end, c.reason) for c in closures),
    )
    public = Moment(room, known, now)
    slots = tuple(slot for slot in taking if slot.end > now and slot.start < public.horizon)
    current = next((slot for slot in slots if slot.start <= now), None)
    upcoming = next((slot for slot in slots if slot.start > now), None)
    closure = next((c for c in closures if _runs(c.start, c.end, now)), None)
    seen = replace(occupancy, sensor=_sensor_health(occupancy, now))
    held = tuple(hold for hold in holds if hold.expires_at > now)
    status, until = _status(slots, closures, current, closure, seen, public)
    is_by_rules = status in (RoomStatus.FREE, RoomStatus.CLOSED)
    change = _next_change(slots, closures, seen, now)
    refusal = public.refusal() if status is RoomStatus.CLOSED else None
    if is_by_rules:
        change = public.next_turn(change)
    staff_change = _earliest([change, *(at for hold in held for at in _instants(hold))], now)
    if status is RoomStatus.FREE and held:
        of_holds = (_facts(hold.id, hold, room, elsewhere) for hold in held)
        staff = replace(public, known=replace(known, neighbours=(*known.neighbours, *of_holds)))
        if staff.refusal() is not None:
            status = RoomStatus.HELD
        staff_change = staff.next_turn(staff_change)
    return Derived(
        status=status,
        until=until,
        refusal=refusal,
        next_change_at=staff_change,
        agenda=slots,
        current=current,
        next=upcoming,
        closure=closure,
        occupancy=seen,
        holds=held,
        next_public_change_at=change if held else None,
    )


def _is_lapsed(slot: Slot, now: datetime) -> bool:
    """Return whether the deadline for the check-in or the approval has passed."""
    match slot.state:
        case SlotState.CONFIRMED:
            deadline = slot.check_in_until
        case SlotState.PENDING:
            deadline = slot.decide_until
        case SlotState.CHECKED_IN:
            deadline = None
    return deadline is not None and deadline <= now


def _facts(
    booking: str, slot: Slot | Hold, room: RoomPolicy, elsewhere: Mapping[str, int]
) -> BookingData:
    """Return a slot as a booking for the policy checks: its interval, room and state."""
    is_hold = isinstance(slot, Hold)
    return BookingData(
        id=NO_BOOKING_ID,
        room=room.uuid,
        room_id=elsewhere.get(booking, room.id),
        interval=Interval(slot.start, slot.end),
        local_start="",
        local_end="",
        title="",
        organizer="",
        organizer_id=None,
        private=False,
        state=BookingState.HELD if is_hold else BookingState.CONFIRMED,
        takes_slot=True,
        lapses_at=slot.expires_at if isinstance(slot, Hold) else None,
        created_at=slot.start,
    )


def _instants(hold: Hold) -> tuple[datetime, ...]:
    return hold.start, hold.end, hold.expires_at


def _earliest(instants: Iterable[datetime | None], now: datetime) -> datetime | None:
    return min((at for at in instants if at is not None and at > now), default=None)


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
    moment: Moment,
) -> tuple[RoomStatus, datetime | None]:
    if closure is not None:
        return RoomStatus.OUT_OF_SERVICE, closure.end
    if current is None and occupancy.is_sensed:
        return RoomStatus.OCCUPIED, None  # people without a booking: their end is unknown
    if current is None:
        return _by_rules(moment)
    if current.state is SlotState.CONFIRMED and current.check_in_until and not occupancy.is_sensed:
        return RoomStatus.RESERVED, current.check_in_until
    free_at = _end_of_run(slots, closures, current)
    if current.state is SlotState.PENDING and not occupancy.is_sensed:
        return RoomStatus.RESERVED, free_at
    is_near = free_at is not None and free_at - moment.now <= ENDING_LEAD
    is_ending = is_near and moment.refusal(free_at) is None
    return (RoomStatus.ENDING if is_ending else RoomStatus.OCCUPIED), free_at


def _by_rules(moment: Moment) -> tuple[RoomStatus, datetime | None]:
    if moment.refusal() is None:
        return RoomStatus.FREE, moment.free_until()
    return RoomStatus.CLOSED, moment.bookable_again()


def _end_of_run(
    slots: Sequence[Slot], closures: Sequence[Closure], current: Slot
) -> datetime | None:
    """Return the end of the current booking and all adjacent bookings and closures."""
    end = current.end
    taken: list[tuple[datetime, datetime | None]] = [(s.start, s.end) for s in slots]
    taken += [(c.start, c.end) for c in closures]
    for start, taken_until in sorted(taken, key=lambda one: one[0]):
        if start > end:
            break
        if taken_until is None:
            return None
        end = max(end, taken_until)
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
    return _earliest(instants, now)
