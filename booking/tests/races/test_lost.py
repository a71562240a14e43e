"""A command that lost a race: refused without the room's lock, or stored under it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from threading import Event

import psycopg
import pytest
from django.db import connection

from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.divide_hall import divide_hall
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.domain.booking_data import BookingData
from booking.domain.errors import SlotTakenError
from booking.tests.factories import NOW, at, book, hours
from booking.tests.races.contest import SLOT, Contest, booking, contest_of
from booking.tests.races.guards import without_second_look
from booking.tests.races.race_fixture import Scene
from booking.tests.races.race_threads import BLOCKED, TIMEOUT_S, Command, outcome_of, query_value
from booking.transaction.step_hooks import Step
from meeting_rooms.kernel.clock import FixedClock

pytestmark = pytest.mark.django_db(transaction=True)
LOCK = "SELECT FROM rooms_room WHERE id = %s FOR UPDATE"


class Lock:
    """The lock of a room, held by a separate session until another session waits for a lock."""

    def __init__(self, session: psycopg.Connection, scene: Scene) -> None:
        self.session, self.scene = session, scene
        self.was_waited_for, self.is_over = False, Event()

    def take(self) -> None:
        self.session.execute(LOCK, [self.scene.room.pk])

    def release_when_waited_for(self) -> None:
        while not self.is_over.is_set():
            if query_value(BLOCKED):
                self.was_waited_for = True
                self.session.rollback()
                return


@contextmanager
def lock_of(contest: Contest, scene: Scene) -> Iterator[Lock]:
    with psycopg.connect(**connection.get_connection_params()) as session:
        lock = Lock(session, scene)
        watching = contest.race_threads.executor.submit(lock.release_when_waited_for)
        try:
            yield lock
        finally:
            lock.is_over.set()
            watching.result(TIMEOUT_S)


def lose_race(contest: Contest, scene: Scene, slow: Command, fast: Command) -> tuple[list, bool]:
    """Let `fast` overtake `slow` before the write of `slow`, then lock the room.

    Returns the outcomes, and whether `slow` waited for the lock.
    """
    with lock_of(contest, scene) as lock:

        def fast_then_lock() -> object:
            outcome = fast()
            lock.take()
            return outcome

        outcomes = contest.race_threads.overtaken(slow, fast_then_lock, Step.BEFORE_WRITE)
    return outcomes, lock.was_waited_for


@pytest.mark.parametrize("guard,waits", [(nullcontext, False), (without_second_look, True)])
def test_lost_race__slot_is_taken__does_not_wait_for_the_rooms_lock(guard, waits):
    """The negative control without the recheck waits for the lock and is refused as well."""
    with contest_of(3) as contest, guard():
        [scene] = contest.rounds(of=1)
        cast = contest.cast
        [refused, won], waited = lose_race(contest, scene, booking(scene, cast.ann),
                                      booking(scene, cast.bob))  # fmt: skip
        assert isinstance(refused, SlotTakenError)
        assert isinstance(won, BookingData)
        assert waited is waits
        assert contest.faults(scene, [refused, won]) == []


def test_lost_race__slot_is_still_free__waits_for_the_lock_and_books():
    with contest_of(3) as contest:
        [scene] = contest.rounds(of=1)
        cast = contest.cast
        outcomes, waited = lose_race(contest, scene, booking(scene, cast.ann),
                                booking(scene, cast.bob, hours(14, 15)))  # fmt: skip
        assert [each.interval for each in outcomes] == [SLOT, hours(14, 15)]
        assert waited
        assert contest.faults(scene, outcomes) == []


def test_lost_race__request_sent_twice__gets_the_first_answer_without_the_lock():
    with contest_of(3) as contest:
        [scene] = contest.rounds(of=1)
        send = booking(scene, contest.cast.ann, key="click")
        [late, first], waited = lose_race(contest, scene, send, send)
        assert late == first
        assert not waited


def test_lost_race__hold_in_the_slot_is_due__expires_it_under_the_lock():
    """The slot has a hold that is due: the recheck must not treat that hold as final."""
    with contest_of(3) as contest:
        [scene] = contest.rounds("held", of=1)
        dan, late = contest.cast.dan, FixedClock(at(10, 57))
        outcomes, waited = lose_race(
            contest, scene, lambda: book(scene.room, SLOT, by=dan, clock=late),
            lambda: expire_due_bookings(room=scene.room.uuid, clock=late),
        )  # fmt: skip
        assert outcomes[0].organizer_id == dan.user_id
        assert waited
        assert contest.faults(scene, outcomes) == []


@pytest.mark.parametrize("guard,waits", [(nullcontext, False), (without_second_look, True)])
def test_half_of_a_hall__that_is_booked__is_refused_without_the_halls_lock(guard, waits):
    with contest_of(3) as contest:
        [scene] = contest.rounds("occupant", of=1)
        _divide(scene)
        outcome_of(_book_a_half(scene))  # the cached rules contain the division now
        with lock_of(contest, scene) as lock, guard():
            lock.take()
            refused = contest.race_threads.at_once(_book_a_half(scene))
        assert isinstance(refused[0], SlotTakenError)
        assert lock.was_waited_for is waits


def _divide(scene: Scene) -> None:
    parts = {scene.other.uuid: (1, 1), scene.third.uuid: (2, 2)}
    divide_hall(
        actor=scene.cast.admin, hall=scene.room.uuid, cells=2, parts=parts, clock=FixedClock(NOW)
    )


def _book_a_half(scene: Scene) -> Callable[[], object]:
    wanted = BookRooms((scene.other.uuid,), SLOT)
    return lambda: book_rooms(actor=scene.cast.cleo, wanted=wanted, clock=FixedClock(NOW))
