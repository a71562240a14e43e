"""Races of two changes: requests, times, titles, check-ins. Each also without its guard."""

from contextlib import nullcontext

import pytest

from booking.commands.approve_booking import approve_booking
from booking.commands.check_in import check_in
from booking.commands.close_room import CloseRoom, close_room
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.commands.extend_booking import extend_booking
from booking.domain.errors import RoomClosedError, SlotTakenError, StaleVersionError
from booking.models import AuditEntry, Booking
from booking.tests.factories import NOW, at, hours
from booking.tests.races import ROUNDS
from booking.tests.races.contest import accepted, booking, contest_of, of_type, without_each
from booking.tests.races.guards import (
    without_any_guard,
    without_room_guard,
    without_version_check,
)
from booking.transaction.step_hooks import Step
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError
from meeting_rooms.kernel.interval import Interval

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60 + 2 * ROUNDS)]
CLOCK = FixedClock(NOW)


def test_two_requests__approved_at_once__one_is_confirmed():
    with contest_of(2) as contest:
        for scene in contest.rounds("pending", "request"):
            outcomes = contest.race(scene, *_approvals(scene))
            [refused] = of_type(outcomes, ConflictError)
            assert refused.code in ("slot_taken", "not_pending")
            states = Booking.objects.filter(room=scene.room).values_list("state", flat=True)
            assert sorted(states) == ["confirmed", "rejected"]


def test_negative_control__two_approvals_without_guards__both_succeed():
    with contest_of(2) as contest, without_any_guard():
        [scene] = contest.rounds("pending", "request", of=1)
        outcomes = contest.race_threads.all_decide_first(*_approvals(scene))
        assert len(accepted(outcomes)) == 2


def _approvals(scene):
    admin = scene.cast.admin
    return [
        lambda pk=pk: approve_booking(actor=admin, booking_id=pk, clock=CLOCK)
        for pk in (scene.pending.id, scene.request.id)
    ]


@pytest.mark.parametrize("first_to,second_to", [(14, 11), (12, 12)])
def test_two_bookings__moved_at_once__never_overlap_and_none_is_lost(first_to, second_to):
    with contest_of(2) as contest:
        for scene in contest.rounds("occupant", "later"):
            outcomes = contest.race(scene, *_moves(scene, first_to, second_to))
            assert Booking.objects.filter(room=scene.room, takes_slot=True).count() == 2
            assert len(accepted(outcomes)) == (first_to == second_to)


def test_negative_control__two_bookings_moved_without_guards__overlap():
    with contest_of(2) as contest, without_any_guard():
        [scene] = contest.rounds("occupant", "later", of=1)
        outcomes = contest.race_threads.all_decide_first(*_moves(scene, 12, 12))
        assert any("double" in fault for fault in contest.faults(scene, outcomes))


def _moves(scene, first_to, second_to):
    return [
        lambda who=who, pk=pk, start=start: edit_booking(
            actor=who, booking_id=pk, edit=BookingEdit(hours(start, start + 1)), clock=CLOCK
        )
        for who, pk, start in (
            (scene.cast.ann, scene.occupant.id, first_to),
            (scene.cast.bob, scene.later.id, second_to),
        )
    ]


def _title_edits(scene, count):
    return [
        lambda title=f"Title {n}": edit_booking(
            actor=scene.cast.ann, booking_id=scene.occupant.id, edit=BookingEdit(title=title),
            expected_version=scene.occupant.version, clock=CLOCK,
        )
        for n in range(count)
    ]  # fmt: skip


def test_edits_of_one_version__at_once__one_is_stored_and_the_rest_get_the_difference():
    with contest_of(4) as contest:
        for scene in contest.rounds("occupant"):
            outcomes = contest.race(scene, *_title_edits(scene, 4))
            [winner] = accepted(outcomes)
            stale = of_type(outcomes, StaleVersionError)
            assert len(stale) == 3
            difference = {"title": {"was": scene.occupant.title, "is": winner.title}}
            assert all(refused.facts["changed"] == difference for refused in stale)


@pytest.mark.parametrize("guards,counted", [
    ([without_room_guard], 1), ([without_version_check], 1),
    ([without_room_guard, without_version_check], 4),
])  # fmt: skip
def test_negative_control__edits_without_either_guard__overwrite_each_other(guards, counted):
    with contest_of(4) as contest:
        [scene] = contest.rounds("occupant", of=1)
        with without_each(guards):
            outcomes = contest.race_threads.all_decide_first(*_title_edits(scene, 4))
        assert len(accepted(outcomes)) == counted


def _closing(scene):
    wanted = CloseRoom(scene.room.uuid, at(11), at(12), "Painting")
    return lambda: close_room(actor=scene.cast.admin, wanted=wanted, clock=CLOCK)[1]


def test_booking_and_closing__at_once__the_lost_race_is_reported():
    with contest_of(2) as contest:
        for scene in contest.rounds():
            booked, closed = contest.race(scene, booking(scene, scene.cast.cleo), _closing(scene))
            if isinstance(booked, RoomClosedError):
                assert closed == ()
            else:
                [reported] = closed.facts["bookings"]
                assert (closed.code, reported["id"]) == ("bookings_affected", str(booked.id))


@pytest.mark.parametrize("guard,is_wrong", [(nullcontext, False), (without_room_guard, True)])
def test_negative_control__closing_before_a_write_without_the_room_guard__books_a_closed_room(
    guard, is_wrong
):
    with contest_of(2) as contest, guard():
        [scene] = contest.rounds(of=1)
        outcomes = contest.race_threads.overtaken(
            booking(scene, scene.cast.cleo), _closing(scene), Step.BEFORE_WRITE
        )
        assert bool(contest.faults(scene, outcomes)) is is_wrong


def _arrival_and_release(scene):
    pk, at_grace = scene.occupant.id, FixedClock(at(11, 10))
    in_time = FixedClock(at(11, 9))
    return (
        lambda: check_in(actor=scene.cast.ann, booking_id=pk, clock=in_time),
        lambda: expire_due_bookings(room=scene.room.uuid, clock=at_grace),
    )


def test_check_in_and_release__at_once__one_outcome_and_one_event():
    reported = {"check_in": "checked_in", "release_no_show": "released"}
    with contest_of(2) as contest:
        for scene in contest.rounds("occupant"):
            contest.race(scene, *_arrival_and_release(scene))
            events = AuditEntry.objects.filter(booking_id=scene.occupant.id).exclude(before=None)
            [command] = events.values_list("command", flat=True)
            assert Booking.objects.get(pk=scene.occupant.id).state == reported[command]


def test_negative_control__check_in_and_release_without_guards__are_two_events():
    with contest_of(2) as contest, without_any_guard():
        [scene] = contest.rounds("occupant", of=1)
        outcomes = contest.race_threads.all_decide_first(*_arrival_and_release(scene))
        assert any("lost update" in fault for fault in contest.faults(scene, outcomes))


def _extension_and_booking(scene):
    return (
        lambda: extend_booking(
            actor=scene.cast.bob, booking_id=scene.earlier.id, minutes=20,
            clock=FixedClock(at(10, 55)),
        ),
        booking(scene, scene.cast.cleo, Interval(at(11), at(11, 20))),
    )  # fmt: skip


def test_extension_and_booking__of_the_same_minutes__one_gets_them():
    with contest_of(2) as contest:
        for scene in contest.rounds("earlier"):
            extended, booked = contest.race(scene, *_extension_and_booking(scene))
            [refused] = of_type([extended, booked], SlotTakenError)
            if refused is extended:
                assert refused.facts["possible_minutes"] == 0


def test_negative_control__extension_and_booking_without_guards__overlap():
    with contest_of(2) as contest, without_any_guard():
        [scene] = contest.rounds("earlier", of=1)
        outcomes = contest.race_threads.all_decide_first(*_extension_and_booking(scene))
        assert any("double" in fault for fault in contest.faults(scene, outcomes))
