"""Status and rules agree: `derive` says free exactly if the rules accept the shortest booking."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, ClosureFacts, RoomContext
from booking.domain.policy_checks import evaluate, refusals
from booking.tests.factories import NOW
from booking.tests.room_rules import ANN, OTHER_ROOM_ID, ROOM_ID, booked, rules
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import day_of, start_of_day
from realtime.state.derive_status import Derived, derive
from realtime.state.live_state import Closure, Hold, Occupancy, RoomStatus, Slot, SlotState
from realtime.tests.factories import seen
from rooms.domain.effective_policy import (
    AdvanceMode,
    Approval,
    BookableBy,
    DayException,
    MeasuredTo,
    RoomPolicy,
)

MINUTE, MILLISECOND = timedelta(minutes=1), timedelta(milliseconds=1)
# Violations that do not depend on the length of the booking or on the end of the advance window.
OF_HOURS = {"outside_opening_hours", "gap_leaves_hours"}
OF_TIME = {*OF_HOURS, "slot_taken", "out_of_service", "gap_too_short", "day_taken"}

ZONES = st.sampled_from(
    ["Europe/Helsinki", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
# An ordinary day, and days with a clock change: Helsinki (twice), Lord Howe, Santiago.
DAYS = st.sampled_from([
    NOW, NOW, datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC),
    datetime(2026, 10, 3, 10, tzinfo=UTC), datetime(2026, 9, 5, 20, tzinfo=UTC),
])  # fmt: skip
MOMENTS = st.builds(
    lambda day, minutes, beside: day + minutes * MINUTE + beside,
    DAYS, st.integers(-600, 600) | st.sampled_from([0, 15, 30, 60, 120]),
    st.sampled_from([timedelta(0), timedelta(0), MILLISECOND, -MILLISECOND, 30_001 * MILLISECOND]),
)  # fmt: skip
PERIODS = st.sampled_from([
    (), ((time(8), time(12)), (time(12, 20), time(18))), ((time(9), time(9, 10)),),
    ((time(0), time(0)),), ((time(20), time(0)),), ((time(0), time(2, 30)), (time(6), time(22))),
])  # fmt: skip
ROOMS = st.builds(
    lambda zone, gaps, **book: rules(
        zone=ZoneInfo(zone), gaps={ROOM_ID: gaps[0], OTHER_ROOM_ID: gaps[1]},
        gap_minutes=gaps[0], managers=frozenset({ANN}), bookers=frozenset({ANN}), **book,
    ),
    zone=ZONES, gaps=st.tuples(*[st.sampled_from([0, 0, 5, 30])] * 2),
    hours=st.just({}) | st.dictionaries(st.integers(0, 6), PERIODS, min_size=4),
    exceptions=st.just({}) | st.dictionaries(
        st.integers(0, 3).map(lambda days: (NOW + timedelta(days=days)).date()),
        st.builds(DayException, st.just("Inventory"), PERIODS), max_size=2,
    ),
    min_minutes=st.sampled_from([1, 15, 25, 60, 26 * 60]),
    max_minutes=st.sampled_from([20, 3000, 3000, 3000]),
    step_minutes=st.sampled_from([1, 15, 20]), notice_minutes=st.sampled_from([0, 0, 0, 0, 60]),
    advance_days=st.sampled_from([0, 1, 2, 30]), advance_mode=st.sampled_from(AdvanceMode),
    advance_measured_to=st.sampled_from(MeasuredTo), gap_may_leave_hours=st.booleans(),
    one_booking_a_day=st.sampled_from([False, False, True]),
    bookable_by=st.sampled_from(BookableBy), approval=st.sampled_from(Approval),
)  # fmt: skip


class Taken(NamedTuple):
    """A booking or a hold: its minutes after an instant, and its room."""

    pause: int
    minutes: int
    state: SlotState | None  # None: a hold
    room_id: int


TAKEN = st.lists(
    st.builds(
        Taken, st.sampled_from([0, 1, 10, 20, 45, 90, 300]), st.sampled_from([1, 15, 60, 200]),
        st.sampled_from([*SlotState, None]), st.sampled_from([ROOM_ID, ROOM_ID, OTHER_ROOM_ID]),
    ),
    max_size=5,
)  # fmt: skip
CLOSURES = st.lists(st.tuples(st.integers(-300, 600), st.none() | st.integers(1, 300)), max_size=1)
OCCUPANCY = st.sampled_from([Occupancy(), Occupancy(), seen(0), seen(2)])


class Room(NamedTuple):
    """All facts that decide about a room, in the forms for `derive` and for the rules."""

    rules: RoomPolicy
    slots: list[Slot]
    holds: list[Hold]
    closures: list[Closure]
    occupancy: Occupancy
    elsewhere: dict[str, int]

    def at(self, now: datetime) -> Derived:
        return derive(
            self.slots, self.closures, self.occupancy, now, self.holds,
            room=self.rules, elsewhere=self.elsewhere,
        )  # fmt: skip

    def midnight(self, now: datetime, days: int) -> datetime:
        return start_of_day(day_of(now, self.rules.zone) + timedelta(days), self.rules.zone)

    def refusals(self, wanted: Interval, now: datetime, *, holds: bool) -> list[str]:
        """Return the codes of the rules that refuse a person who may book here. Empty: accepted."""
        taken = [s for s in self.slots if (at := lapses_at(s)) is None or at > now]
        facts = [self._facts(n, s, s.booking) for n, s in enumerate(taken)]
        if holds:
            running = (hold for hold in self.holds if hold.expires_at > now)
            facts += [self._facts(100 + n, h, h.id) for n, h in enumerate(running)]
        closed = tuple(ClosureFacts(c.start, c.end, c.reason) for c in self.closures)
        known, asked = RoomContext(tuple(facts), closed), BookingRequest(wanted, ANN)
        try:
            evaluate(asked, self.rules, known, now=now)
        except MeetingRoomsError as refused:
            others = refusals(asked, self.rules, known, now=now)
            return [refused.code, *(one["code"] for one in others)]
        return []

    def _facts(self, number: int, slot: Slot | Hold, name: str) -> BookingData:
        room_id = self.elsewhere.get(name, ROOM_ID)
        return booked(Interval(slot.start, slot.end), number=number, room_id=room_id)


def lapses_at(slot: Slot) -> datetime | None:
    return slot.decide_until if slot.state is SlotState.PENDING else slot.check_in_until


def shortest(room: RoomPolicy) -> timedelta:
    step = room.policy.step_minutes
    return next(n for n in range(step, 10_000, step) if n >= room.policy.min_minutes) * MINUTE


@st.composite
def situations(draw) -> tuple[Room, datetime]:
    """Draw a room with all bookings, holds and closures, and an instant."""
    now = draw(MOMENTS)
    begin = now.replace(second=0, microsecond=0) - draw(st.sampled_from([0, 30, 200])) * MINUTE
    slots, holds, elsewhere, cursor = [], [], {}, begin
    for number, one in enumerate(draw(TAKEN)):
        start = cursor + one.pause * MINUTE
        end = cursor = start + one.minutes * MINUTE
        name = str(number)
        elsewhere |= {} if one.room_id == ROOM_ID else {name: one.room_id}
        if one.state is None:
            holds.append(
                Hold(name, start, end, "Bob", now + draw(st.integers(1, 120_000)) * MILLISECOND)
            )
            continue
        grace = start + 10 * MINUTE if one.state is SlotState.CONFIRMED else None
        decide = start if one.state is SlotState.PENDING else None
        slots.append(Slot(name, start, end, "Retro", "Bob", False, one.state, grace, decide))
    closures = [
        Closure(begin + wait * MINUTE, length and begin + (wait + length) * MINUTE, "Paint")
        for wait, length in draw(CLOSURES)
    ]
    room = draw(ROOMS)
    occupancy = replace(draw(OCCUPANCY), observed_at=now)
    return Room(room, slots, holds, closures, occupancy, elsewhere), now


@given(situations())
def test_derive__any_situation__is_free_only_if_the_rules_accept_the_shortest_booking(drawn):
    """Two exceptions: the room is occupied, or a meeting runs without check-in."""
    room, now = drawn
    found = room.at(now)
    wanted = Interval(now, now + shortest(room.rules))
    refused = room.refusals(wanted, now, holds=False)
    match found.status:
        case RoomStatus.FREE:
            assert room.refusals(wanted, now, holds=True) == []
        case RoomStatus.HELD:
            assert refused == []
            assert room.refusals(wanted, now, holds=True)
        case RoomStatus.CLOSED:
            assert found.refusal == refused[0]
        case RoomStatus.OCCUPIED if found.current is None:
            assert found.occupancy.is_sensed  # occupied by people: not a matter of the rules
        case _:
            assert found.closure or found.current
            assert refused
    assert (found.refusal is None) == (found.status is not RoomStatus.CLOSED)


@given(situations())
def test_derive__until__is_the_latest_end_of_a_booking_or_the_end_of_the_refusal(drawn):
    room, now = drawn
    found = room.at(now)
    match found.status:
        case RoomStatus.FREE | RoomStatus.HELD:
            # Without `until` the slice of the schedule ends, so it is no limit.
            end = found.until or max(room.midnight(now, 2), now + shortest(room.rules))
            step = room.rules.policy.step_minutes * MINUTE
            longest = min(end - now, room.rules.policy.max_minutes * MINUTE) // step * step
            assert longest >= shortest(room.rules)
            assert OF_TIME.isdisjoint(room.refusals(Interval(now, now + longest), now, holds=False))
            if found.until is not None:
                beyond = Interval(now, found.until + MILLISECOND)
                assert not OF_TIME.isdisjoint(room.refusals(beyond, now, holds=False))
        case RoomStatus.CLOSED if found.until is not None:
            assert found.until > now
            then = Interval(found.until, found.until + shortest(room.rules))
            refused = room.refusals(then, found.until, holds=False)
            assert {*OF_HOURS, found.refusal}.isdisjoint(refused)


@given(situations(), st.integers(0, 1000))
def test_derive__before_next_change_at__returns_the_same_status(drawn, part):
    room, now = drawn
    found = room.at(now)
    midnight = room.midnight(now, 1)  # each room is derived again at midnight
    end = min(found.next_change_at or midnight, midnight)
    later = now + (end - now - MILLISECOND) // MILLISECOND * part // 1000 * MILLISECOND
    same = room.at(later)
    shown = ("status", "until", "refusal", "current", "next", "agenda", "holds", "closure")
    assert [getattr(same, name) for name in shown] == [getattr(found, name) for name in shown]
    assert same.next_change_at == found.next_change_at


@given(situations())
def test_derive__holds__do_not_change_the_public_state(drawn):
    room, now = drawn
    found, without = room.at(now), room._replace(holds=[]).at(now)
    status = RoomStatus.FREE if found.status is RoomStatus.HELD else found.status
    public_change = found.next_public_change_at if found.holds else found.next_change_at
    assert (status, found.until, public_change) == (
        without.status, without.until, without.next_change_at,
    )  # fmt: skip
