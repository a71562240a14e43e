"""Races for one slot, several rooms or one key. Each race also without its guard."""

from dataclasses import replace
from threading import Barrier

import psycopg
import pytest
from django.db import transaction

from booking.commands.book_room import BookRooms, book_rooms
from booking.domain.errors import RuleError, SlotTakenError
from booking.exchange.import_event import import_events_together
from booking.models import Booking
from booking.tests.factories import NOW, at, book, calendar_event, hours
from booking.tests.races import ROUNDS
from booking.tests.races.contest import (
    SLOT,
    accepted,
    booking,
    contest_of,
    of_type,
    one_booking_a_day,
    without_each,
)
from booking.tests.races.guards import (
    without_any_guard,
    without_constraint,
    without_ledger_check,
    without_receipt_constraint,
    without_room_guard,
)
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60 + 2 * ROUNDS)]
CLOCK = FixedClock(NOW)
CLIENTS = 12


def test_one_slot__booked_by_many_at_once__has_one_winner():
    with contest_of(CLIENTS) as contest:
        people = [actor() for _ in range(CLIENTS)]
        for scene in contest.rounds():
            outcomes = contest.race(scene, *(booking(scene, who) for who in people))
            assert len(accepted(outcomes)) == 1
            assert len(of_type(outcomes, SlotTakenError)) == CLIENTS - 1


@pytest.mark.parametrize("guards,winners", [
    ([], 1), ([without_room_guard], 1), ([without_constraint], 1),
    ([without_room_guard, without_constraint], CLIENTS),
])  # fmt: skip
def test_one_slot__all_decide_before_any_write__either_guard_is_enough(guards, winners):
    """The negative control without both guards gives the slot to every person."""
    with contest_of(CLIENTS) as contest:
        people = [actor() for _ in range(CLIENTS)]
        [scene] = contest.rounds(of=1)
        with without_each(guards):
            outcomes = contest.race_threads.all_decide_first(
                *(booking(scene, who) for who in people)
            )
            assert len(accepted(outcomes)) == winners
            assert Booking.objects.count() == winners


def test_one_key__sent_in_parallel__is_one_booking():
    with contest_of(CLIENTS) as contest:
        for number, scene in enumerate(contest.rounds()):
            send = booking(scene, contest.cast.ann, key=f"key {number}")
            outcomes = contest.race(scene, *[send] * CLIENTS)
            assert len({facts.id for facts in outcomes}) == 1


def test_negative_control__one_key_without_its_guards__is_many_bookings():
    with contest_of(CLIENTS) as contest, without_receipt_constraint(), without_any_guard():
        [scene] = contest.rounds(of=1)
        send = booking(scene, contest.cast.ann, key="key")
        outcomes = contest.race_threads.all_decide_first(*[send] * CLIENTS)
        assert len({facts.id for facts in outcomes}) == CLIENTS


def test_several_rooms__in_crossing_order__has_one_winner_and_no_deadlock():
    with contest_of(4) as contest:
        for scene in contest.rounds():
            uuids = [each.uuid for each in scene.rooms]

            def take(names, who, uuids=uuids):
                wanted = BookRooms(tuple(uuids[n] for n in names), SLOT)
                return lambda: book_rooms(actor=who, wanted=wanted, clock=CLOCK)

            cast = contest.cast
            outcomes = contest.race(
                scene, take([0, 1, 2], cast.ann), take([2, 1, 0], cast.bob),
                take([1, 2, 0], cast.cleo), take([2, 0], cast.dan),
            )  # fmt: skip
            assert len(accepted(outcomes)) == 1
            assert len(of_type(outcomes, SlotTakenError)) == 3


def test_calendars__crossing_imports__one_is_imported_completely():
    with contest_of(2) as contest:
        for number, scene in enumerate(contest.rounds()):
            slots = [(scene.room, hours(11, 12)), (scene.other, hours(13, 14))]

            def import_calendar(name, slots, number=number):
                events = [
                    (where.uuid, calendar_event(f"{name}-{number}-{n}", when))
                    for n, (where, when) in enumerate(slots)
                ]
                admin = contest.cast.admin
                return lambda: import_events_together(actor=admin, events=events, clock=CLOCK)

            outcomes = contest.race(
                scene, import_calendar("a", slots), import_calendar("b", slots[::-1])
            )
            assert len(accepted(outcomes)) == len(of_type(outcomes, SlotTakenError)) == 1
            uids = Booking.objects.filter(room__in=scene.rooms).values_list("external_uid")
            assert len({uid[0] for (uid,) in uids}) == 1


def test_negative_control__crossing_inserts_without_the_locks__deadlock_is_detected():
    with pytest.raises(AssertionError, match="deadlock"), contest_of(2) as contest:
        [scene] = contest.rounds(of=1)
        gate = Barrier(2)

        def insert(*rooms):
            with transaction.atomic():
                for number, each in enumerate(rooms):
                    Booking.objects.create(
                        room=each, during=(at(11), at(12)), state="confirmed", created_at=NOW
                    )
                    if number == 0:
                        gate.wait(10)

        outcomes = contest.race_threads.at_once(
            lambda: insert(scene.room, scene.other), lambda: insert(scene.other, scene.room)
        )
        [failed] = of_type(outcomes, Exception)
        assert isinstance(failed.__cause__, psycopg.errors.DeadlockDetected)


def _two_for_one_person(scene, cast):
    return [
        lambda where=where, start=start: book(where, hours(start, start + 1), by=cast.ann)
        for where, start in ((scene.room, 11), (scene.other, 14))
    ]


def test_quota_of_one_a_day__two_slots_in_two_rooms__one_is_accepted():
    with contest_of(2) as contest:
        one_booking_a_day(contest.place.building)
        for scene in contest.rounds():
            ann = actor()
            outcomes = contest.race(
                scene, *_two_for_one_person(scene, replace(scene.cast, ann=ann))
            )
            [refused] = of_type(outcomes, RuleError)
            assert (len(accepted(outcomes)), "quota" in refused.code) == (1, True)


def test_negative_control__quota_without_the_ledger__is_exceeded():
    with contest_of(2) as contest, without_ledger_check():
        one_booking_a_day(contest.place.building)
        [scene] = contest.rounds(of=1)
        outcomes = contest.race_threads.all_decide_first(*_two_for_one_person(scene, scene.cast))
        assert len(accepted(outcomes)) == 2
