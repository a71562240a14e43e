"""What a room is right now, from its schedule, its rules, its sensors and the time. Pure.

Displays, pages, API and tests all read the outcome of `derive`; nothing else decides a status.
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

ENDING_LEAD = timedelta(minutes=10)
SENSOR_STALE_AFTER = timedelta(minutes=10)
NOWHERE_ELSE: Mapping[str, int] = MappingProxyType({})
DAYS_SHOWN = timedelta(days=2)  # today and tomorrow
NOT_SHOWN = UUID(int=0)  # the rules of one room ask for no booking's id


@dataclass(frozen=True, slots=True)
class Derived:
    """The outcome for one instant; it holds until `next_change_at`.

    `until` is when the bookings of a busy room end, when a closed or unattended one is free, or
    until when a free one can be had; None: unknown. `refusal` says why a closed room is no free
    one, with the code of the refused booking.
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
    next_public_change_at: datetime | None  # `next_change_at` if there were no holds


@dataclass(frozen=True, slots=True)
class Moment:
    """What the rules are asked about: a room with all that takes its time, at one instant."""

    room: RoomPolicy
    known: RoomContext
    now: datetime

    @property
    def horizon(self) -> datetime:
        """Return how far the outcome looks: to the end of the room's next local day."""
        today = self.now.astimezone(self.room.zone).date()
        return start_of_day(today + DAYS_SHOWN, self.room.zone)

    def refusal(self, at: datetime | None = None) -> str | None:
        """Return why a booking from `at` on, or from now on, would be refused."""
        return refusal_at(self.room, self.known, at or self.now)

    def free_until(self) -> datetime | None:
        """Return until when it can be had; None: nothing ends it soon."""
        end = free_until(self.room, self.known, self.now, self.horizon)
        return end if end < self.horizon else None

    def bookable_again(self) -> datetime | None:
        """Return when it can be booked again, as far as it is known."""
        return bookable_again(self.room, self.known, self.now, self.horizon)

    def next_turn(self, before: datetime | None) -> datetime | None:
        """Return when the rules' answer changes by itself; `before` or None where it does not."""
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
    elsewhere: Mapping[str, int] = NOWHERE_ELSE,
) -> Derived:
    """Return what holds at `now`, and until when.

    `agenda` is sorted by start and free of overlaps, with `holds`, too. It holds what the rules of
    `room` look at, also what has ended or starts beyond the next local day: that is not shown.
    `elsewhere` names the room, by booking, of what was booked in another part of the same hall.
    A slot past its check-in instant is free here, whether its
    booking was released yet or not, and so are a request that nobody decided in time and a hold
    that has run out; a stale sensor neither fills nor empties a room. A held room has the `until`
    of a free one: so whoever may not know of holds is told the very same as without them.
    """
    taking = [slot for slot in agenda if not _is_given_back(slot, now)]
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


def _facts(
    booking: str, slot: Slot | Hold, room: RoomPolicy, elsewhere: Mapping[str, int]
) -> BookingData:
    """Return what the rules see of a slot: when it is, in which room, and that it is taken."""
    is_hold = isinstance(slot, Hold)
    return BookingData(
        id=NOT_SHOWN,
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
        return RoomStatus.OCCUPIED, None  # people came without a booking: nobody knows how long
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
    """Return when its bookings end: those back to back, and closures, are one run."""
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
