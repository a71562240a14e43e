"""Random commands by several people against Postgres, compared with a model of the rules.

After each step the answer, every booking and every closure must equal the model.
"""

from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from booking.commands.approve_booking import approve_booking, reject_booking
from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.close_room import CloseRoom, Fate, close_room, reopen_room
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.commands.end_booking import end_booking
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.commands.extend_booking import extend_booking
from booking.commands.restore_booking import restore_booking
from booking.commands.swap_rooms import swap_rooms
from booking.exchange.import_event import import_event
from booking.models import Booking
from booking.repository import bookings_during
from booking.tests.acceptance.stateful_model_rooms import Campus
from booking.tests.acceptance.stateful_model_rules import UNDO
from booking.tests.acceptance.stateful_model_values import Place
from booking.tests.factories import NOW, calendar_event
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.interval import Interval
from rooms.models import Closure
from rooms.tests.factories import divide, floor, policy, room

MINUTE = timedelta(minutes=1)
HALL, LEFT, RIGHT = (
    Place("hall", frozenset({1, 2})),
    Place("left", frozenset({1})),
    Place("right", frozenset({2})),
)
BOARDROOM = Place("boardroom", frozenset({3}), needs_approval=True)
PLACES = [HALL, LEFT, RIGHT, BOARDROOM]
STAFF, ADMIN = ["ann", "bob"], "admin"

places = st.sampled_from(PLACES)
people = st.sampled_from([*STAFF, ADMIN])
# Times in steps of 10 minutes and a clock in steps of 5 hit grace instants and ends exactly.
waits = st.sampled_from([-20, -10, 0, 5, 10, 10, 10, 20, 30, 60, 90]).map(lambda n: n * MINUTE)
lengths = st.sampled_from([20, 30, 60, 90]).map(lambda n: n * MINUTE)
# Mostly a person with the permission, and mostly a booking that is not over.
bookings = st.integers(0, 999)
allowed = st.sampled_from([None, None, None, None, *STAFF, ADMIN])
managers = st.sampled_from([ADMIN, ADMIN, ADMIN, "ann"])
actions = st.sampled_from([None, Fate.KEEP, Fate.CANCEL])
uids = st.sampled_from(["talk", "choir"])


class BookingMachine(RuleBasedStateMachine):
    closures = Bundle("closures")

    def __init__(self):
        super().__init__()
        on = floor()
        self.rooms = {place: room(place.name, on=on) for place in PLACES}
        divide(self.rooms[HALL], self.rooms[LEFT], self.rooms[RIGHT])
        policy(self.rooms[BOARDROOM], approval="always", pending_blocks=False)
        self.actors = {name: actor(name) for name in STAFF} | {ADMIN: actor(role=Role.ADMIN)}
        self.clock, self.model = FixedClock(NOW), Campus(NOW)
        self.run, self.numbers = uuid4().hex, count(1)

    def compare(self, command, expected: set[str]):
        """Run the command; assert an expected refusal, or success if none is expected."""
        try:
            answer, code = command(), None
        except MeetingRoomsError as refused:
            answer, code = None, refused.code
        assert code in expected if expected else code is None, (code, expected)
        event(code or "done")
        return answer

    def chosen(self, n: int, who: str | None, state: str | None = None):
        """Return a booking, mostly in this state or not over, and the person who changes it."""
        open_bookings = [
            b
            for b in self.model.bookings
            if b.state == state or (state is None and b.end > self.model.now and b.before is None)
        ]
        candidates = open_bookings if n % 4 and open_bookings else self.model.bookings
        booking = candidates[n // 4 % len(candidates)]
        return booking.id, who or booking.who or ADMIN

    def options(self, who: str) -> dict:
        return {"actor": self.actors[who], "clock": self.clock}

    # --- commands of people

    @rule(at=st.lists(places, min_size=1, max_size=2, unique=True),
          who=people, wait=waits, length=lengths)  # fmt: skip
    def book(self, at, who, wait, length):
        start = self.model.now + wait
        if len(at) > 1:  # in this test a request is for one room
            at = [place for place in at if not place.needs_approval]
        wanted = BookRooms(
            tuple(self.rooms[place].uuid for place in at), Interval(start, start + length)
        )
        ids = [object() for _ in at]
        expected = self.model.book(ids, at, start, start + length, who, who == ADMIN)
        answer = self.compare(lambda: book_rooms(wanted=wanted, **self.options(who)), expected)
        for placeholder, stored in zip(ids, answer or (), strict=False):
            self.model.parts(placeholder)[0].id = stored.id

    @precondition(lambda self: self.model.bookings)
    @rule(n=bookings, who=allowed)
    def cancel(self, n, who):
        pk, who = self.chosen(n, who)
        expected = self.model.cancel(pk, who, who == ADMIN)
        self.compare(lambda: cancel_booking(booking_id=pk, **self.options(who)), expected)

    @precondition(lambda self: self.model.bookings)
    @rule(n=bookings, who=allowed)
    def arrive(self, n, who):
        pk, who = self.chosen(n, who)
        expected = self.model.check_in(pk)
        self.compare(lambda: check_in(booking_id=pk, **self.options(who)), expected)

    @precondition(lambda self: self.model.bookings)
    @rule(n=bookings, who=allowed)
    def leave(self, n, who):
        pk, who = self.chosen(n, who)
        expected = self.model.end(pk, who, who == ADMIN)
        self.compare(lambda: end_booking(booking_id=pk, **self.options(who)), expected)

    @precondition(lambda self: self.model.bookings)
    @rule(n=bookings, who=allowed, to=st.none() | places, wait=st.none() | waits, length=lengths)
    def edit(self, n, who, to, wait, length):
        pk, who = self.chosen(n, who)
        start = None if wait is None else self.model.now + wait
        booking, *others = self.model.parts(pk)
        if others and to is BOARDROOM:
            return
        begin, end = (start, start + length) if start else (booking.start, booking.end)
        edit = BookingEdit(
            interval=Interval(begin, end) if start else None,
            room=self.rooms[to].uuid if to else None,
        )
        place = to or booking.place
        expected = self.model.edit(pk, who, who == ADMIN, place, begin, end)
        self.compare(lambda: edit_booking(booking_id=pk, edit=edit, **self.options(who)), expected)

    @precondition(lambda self: self.model.bookings)
    @rule(n=bookings, who=allowed, minutes=st.sampled_from([10, 30, 60]))
    def extend(self, n, who, minutes):
        pk, who = self.chosen(n, who)
        booking = self.model.parts(pk)[0]
        end = booking.end + minutes * MINUTE
        expected = self.model.edit(pk, who, who == ADMIN, booking.place, booking.start, end)
        if expected:  # the command may have just released the booking that it read
            expected |= {"stale_version"}
        command = lambda: extend_booking(booking_id=pk, minutes=minutes, **self.options(who))  # noqa: E731
        self.compare(command, expected)

    @precondition(lambda self: self.model.bookings)
    @rule(n=bookings, who=allowed)
    def restore(self, n, who):
        pk, who = self.chosen(n, who)
        for part in self.model.parts(pk):
            if part.state == "released" and self.model.now - part.ended > UNDO:
                who = ADMIN  # for other people it depends on when the release was stored
        expected = self.model.restore(pk, who, who == ADMIN)
        self.compare(lambda: restore_booking(booking_id=pk, **self.options(who)), expected)

    @precondition(lambda self: self.model.bookings)
    @rule(n=bookings, who=managers)
    def approve(self, n, who):
        pk, who = self.chosen(n, who, state="pending")
        expected = self.model.approve(pk, who == ADMIN)
        self.compare(lambda: approve_booking(booking_id=pk, **self.options(who)), expected)

    @precondition(lambda self: self.model.bookings)
    @rule(n=bookings, who=managers)
    def reject(self, n, who):
        pk, who = self.chosen(n, who, state="pending")
        expected = self.model.reject(pk, who == ADMIN)
        command = lambda: reject_booking(booking_id=pk, reason="No", **self.options(who))  # noqa: E731
        self.compare(command, expected)

    @precondition(lambda self: self.model.bookings)
    @rule(n=bookings, m=bookings, who=allowed)
    def swap(self, n, m, who):
        (pk, who), (other, _) = self.chosen(n, who or ADMIN), self.chosen(m, ADMIN)
        pair = [self.model.parts(each) for each in (pk, other)]
        is_mixed = any(parts[0].place is BOARDROOM for parts in pair) and sum(map(len, pair)) > 2
        if pk == other or is_mixed:
            return
        expected = self.model.swap(pk, other, who, who == ADMIN)
        command = lambda: swap_rooms(booking_id=pk, other_id=other, **self.options(who))  # noqa: E731
        self.compare(command, expected)

    # --- commands on rooms, imported events and the clock

    @precondition(lambda self: len(self.model.closures) < 2)
    @rule(target=closures, at=places, wait=waits, length=lengths, action=actions, who=managers)
    def close(self, at, wait, length, action, who):
        start = self.model.now + wait
        end = start + length
        affected = [b.id for b in self.model.affected(at, start, end)]
        agreed = {pk: action for pk in affected if action}
        wanted = CloseRoom(self.rooms[at].uuid, start, end, "Painting", agreed)
        placeholder = object()
        expected = self.model.close(placeholder, at, start, end, action, who == ADMIN)
        answer = self.compare(lambda: close_room(wanted=wanted, **self.options(who)), expected)
        if answer is None:
            return multiple()
        self.model.closures[-1].id = answer[0]
        return answer[0]

    @rule(pk=consumes(closures), who=managers)
    def reopen(self, pk, who):
        expected = self.model.reopen(pk, who == ADMIN)
        self.compare(lambda: reopen_room(closure_id=pk, **self.options(who)), expected)

    @rule(uid=uids, at=places, wait=waits, length=lengths, is_off=st.booleans())
    def apply_import(self, uid, at, wait, length, is_off):
        start = self.model.now + wait
        uid = f"{uid}-{self.run}"
        where, placeholder = self.rooms[at].uuid, object()
        event = calendar_event(uid, Interval(start, start + length), is_cancelled=is_off)
        expected = self.model.apply_import(placeholder, uid, at, start, start + length, is_off)
        self.compare(lambda: import_event(room=where, event=event, **self.options(ADMIN)), expected)
        for new in [b for b in self.model.bookings if b.id is placeholder]:
            new.id = Booking.objects.get(external_uid=uid).pk

    @rule(minutes=st.sampled_from([5, 10, 15, 30]))
    def pass_time(self, minutes):
        self.clock.advance(minutes * MINUTE)
        self.model.now = self.clock.now()
        self.model.apply_deadlines()

    @rule(at=places)
    def expire_due(self, at):
        expire_due_bookings(room=self.rooms[at].uuid, clock=self.clock)

    # --- conditions that hold after each step

    @invariant()
    def bookings_equal_the_model(self):
        names = {each.pk: place.name for place, each in self.rooms.items()}
        found = {}
        for booking in Booking.objects.filter(room__in=self.rooms.values()):
            state = booking.state
            if booking.lapses_at is not None and booking.lapses_at <= self.model.now:
                state = {"pending": "rejected"}.get(state, "released")  # stored or not
            slot = booking.during
            found[booking.pk] = (names[booking.room_id], slot.lower, slot.upper, state)
        assert found == {b.id: (b.place.name, b.start, b.end, b.state) for b in self.model.bookings}

    @invariant()
    def taken_slots_equal_the_model(self):
        ever = Interval(NOW - timedelta(days=1), NOW + timedelta(days=1))
        during = bookings_during(ever, now=self.model.now).filter(room__in=self.rooms.values())
        taken = {booking.pk for booking in during}
        assert taken == {b.id for b in self.model.bookings if b.has_slot}

    @invariant()
    def closures_equal_the_model(self):
        stored = Closure.objects.filter(room__in=self.rooms.values())
        found = {closure.pk: (closure.starts_at, closure.ends_at) for closure in stored}
        assert found == {c.id: (c.start, c.end) for c in self.model.closures}


@pytest.mark.hypothesis
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(1800)
def test_machine__random_commands__answer_and_store_as_the_model():
    is_thorough = settings.default.max_examples > 100
    run_state_machine_as_test(
        BookingMachine,
        settings=settings(
            max_examples=100 if is_thorough else 12,
            stateful_step_count=50 if is_thorough else 30,
            deadline=None,
            phases=(Phase.reuse, Phase.generate),  # shrinking takes minutes; the steps are printed
            suppress_health_check=list(HealthCheck),
        ),
    )
