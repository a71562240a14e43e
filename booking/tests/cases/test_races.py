"""Cases 11 to 13, 16 to 20, 80 and 87: commands that run at once on the same slot.

Each race runs once here; `make races` runs many races hundreds of times, also without guards.
"""

from datetime import datetime, timedelta

import pytest

from booking.commands.approve_booking import approve_booking
from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.check_in import check_in
from booking.commands.close_room import CloseRoom, close_room
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.commands.extend_booking import extend_booking
from booking.domain.errors import RoomClosedError, SlotTakenError, StaleVersionError
from booking.models import AuditEntry, Booking
from booking.series.book_series import BookSeries, book_series
from booking.tests.factories import NOW, at, book, hours
from booking.tests.races.contest import (
    SLOT,
    accepted,
    booking,
    contest_of,
    of_type,
    one_booking_a_day,
)
from booking.tests.races.race_threads import with_a_pooled_connection
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from rooms.tests.factories import policy, room

pytestmark = pytest.mark.django_db(transaction=True)
CLOCK = FixedClock(NOW)
TAKEN = {"starts_at": at(11).isoformat(), "ends_at": at(12).isoformat()}


def test_case_011__fifty_clients_for_one_slot__one_books_and_the_rest_are_refused():
    """Fifty clients want one slot"""
    with contest_of(50) as contest:
        [scene] = contest.rounds(of=1)
        people = [actor() for _ in range(50)]
        commands = [with_a_pooled_connection(booking(scene, who)) for who in people]
        outcomes = contest.race(scene, *commands)
        assert len(accepted(outcomes)) == 1
        refused = of_type(outcomes, SlotTakenError)
        assert len(refused) == 49
        assert all(refusal.facts["taken"] == [TAKEN] for refusal in refused)
        assert Booking.objects.count() == 1


def test_case_012__two_crossing_series__one_is_booked_completely():
    """Two series cross each other's slots"""
    with contest_of(2) as contest:
        [scene] = contest.rounds(of=1)

        def series(who, first, rule):
            wanted = BookSeries(scene.room.uuid, first, 60, rule)
            return lambda: book_series(actor=who, wanted=wanted, clock=CLOCK)

        first = datetime(2026, 3, 15, 13)
        outcomes = contest.race(
            scene,
            series(contest.cast.ann, first, "FREQ=WEEKLY;COUNT=2"),
            series(contest.cast.bob, first + timedelta(days=7), "FREQ=WEEKLY;COUNT=2"),
        )
        [refused] = of_type(outcomes, ConflictError)
        assert refused.code == "series_clashes"
        assert Booking.objects.count() == 2


def test_case_012__rooms_in_crossing_order__one_booking_gets_both_without_a_deadlock():
    """Two bookings of the same rooms in crossing order"""
    with contest_of(2) as contest:
        [scene] = contest.rounds(of=1)

        def take(who, *rooms):
            wanted = BookRooms(tuple(each.uuid for each in rooms), SLOT)
            return lambda: book_rooms(actor=who, wanted=wanted, clock=CLOCK)

        outcomes = contest.race(
            scene,
            take(contest.cast.ann, scene.room, scene.other),
            take(contest.cast.bob, scene.other, scene.room),
        )
        assert len(of_type(outcomes, SlotTakenError)) == 1
        assert Booking.objects.count() == 2


def test_case_013__two_requests_approved_at_once__one_is_confirmed():
    """Two requests for one slot approved at once"""
    with contest_of(2) as contest:
        [scene] = contest.rounds(of=1)
        policy(scene.room, approval="always", pending_blocks=False)
        requests = [booking(scene, who)() for who in (contest.cast.ann, contest.cast.bob)]
        assert [request.state for request in requests] == ["pending", "pending"]
        outcomes = contest.race(
            scene,
            *(
                lambda pk=request.id: approve_booking(
                    actor=contest.cast.admin, booking_id=pk, clock=CLOCK
                )
                for request in requests
            ),
        )
        [refused] = of_type(outcomes, ConflictError)
        assert refused.code in ("slot_taken", "not_pending")
        assert sorted(Booking.objects.values_list("state", flat=True)) == ["confirmed", "rejected"]


@pytest.mark.parametrize("same_room", [True, False])
def test_case_016__two_bookings_at_once_with_a_quota_of_one__one_is_accepted(same_room):
    """A quota against requests in parallel"""
    with contest_of(2) as contest:
        [scene] = contest.rounds(of=1)
        one_booking_a_day(scene.room.floor.building)
        rooms = (scene.room, scene.room if same_room else scene.other)
        outcomes = contest.race(
            scene,
            lambda: book(rooms[0], hours(11, 12), by=contest.cast.ann),
            lambda: book(rooms[1], hours(14, 15), by=contest.cast.ann),
        )
        [refused] = of_type(outcomes, InvalidCommandError)
        assert "quota" in refused.code
        assert Booking.objects.count() == 1


def test_case_017__bookings_moved_into_each_others_slots__are_refused_and_stay():
    """Two bookings moved into each other's slots"""
    with contest_of(2) as contest:
        [scene] = contest.rounds("occupant", "later", of=1)
        outcomes = contest.race(
            scene,
            _move(contest.cast.ann, scene.occupant.id, hours(14, 15)),
            _move(contest.cast.bob, scene.later.id, SLOT),
        )
        assert len(of_type(outcomes, SlotTakenError)) == 2
        kept = {booking.id: booking.interval for booking in Booking.objects.all()}
        assert kept == {scene.occupant.id: SLOT, scene.later.id: hours(14, 15)}


def test_case_018__edit_of_an_old_version__is_refused_with_the_difference():
    """An edit of a booking that another command has edited"""
    ann = actor("Ann")
    facts = book(room(), SLOT, by=ann, title="Version 1")
    for title in ("Version 2", "Version 3", "Version 4"):
        edit_booking(actor=ann, booking_id=facts.id, edit=BookingEdit(title=title), clock=CLOCK)
    with pytest.raises(StaleVersionError) as refused:
        edit_booking(
            actor=ann, booking_id=facts.id, edit=BookingEdit(title="Mine"), expected_version=3,
            clock=CLOCK,
        )  # fmt: skip
    assert refused.value.facts == {
        "version": 4,
        "changed": {"title": {"was": "Version 3", "is": "Version 4"}},
    }
    assert Booking.objects.get().title == "Version 4"


def test_case_019__booking_while_the_room_closes__the_lost_race_is_reported():
    """Booked as the room is taken out of service"""
    with contest_of(2) as contest:
        [scene] = contest.rounds(of=1)
        wanted = CloseRoom(scene.room.uuid, at(10, 30), at(13), "Painting")
        booked, closed = contest.race(
            scene,
            booking(scene, contest.cast.cleo),
            lambda: close_room(actor=contest.cast.admin, wanted=wanted, clock=CLOCK)[1],
        )
        if closed == ():
            assert isinstance(booked, RoomClosedError)
            assert not Booking.objects.exists()
        else:
            assert closed.code == "bookings_affected"
            assert [affected["id"] for affected in closed.facts["bookings"]] == [str(booked.id)]


def test_case_020__two_bookings_at_once__exactly_one_is_stored():
    """Of two that race exactly one survives"""
    with contest_of(2) as contest:
        [scene] = contest.rounds(of=1)
        cast = contest.cast
        outcomes = contest.race(scene, booking(scene, cast.ann), booking(scene, cast.bob))
        [winner] = accepted(outcomes)
        assert [stored.id for stored in Booking.objects.filter(takes_slot=True)] == [winner.id]


def test_case_080__check_in_and_release_at_once__one_outcome_and_one_event():
    """Check-in and release in the same millisecond"""
    with contest_of(2) as contest:
        [scene] = contest.rounds("occupant", of=1)
        last, grace = FixedClock(at(11, 10) - timedelta(milliseconds=1)), FixedClock(at(11, 10))
        pk, ann = scene.occupant.id, contest.cast.ann
        arrived, _ = contest.race(
            scene,
            lambda: check_in(actor=ann, booking_id=pk, clock=last),
            lambda: expire_due_bookings(room=scene.room.uuid, clock=grace),
        )
        [event] = AuditEntry.objects.exclude(before=None)
        is_in = not isinstance(arrived, Exception)
        assert event.command == ("check_in" if is_in else "release_no_show")
        assert Booking.objects.get().state == ("checked_in" if is_in else "released")
        assert is_in or arrived.code == "released"


def test_case_087__extension_with_twenty_minutes_free__offers_twenty():
    """An extension that is longer than the free time"""
    ann, dogger = actor(), room()
    running = book(dogger, Interval(NOW, at(11)), by=ann)
    book(dogger, Interval(at(11, 20), at(12)))
    with pytest.raises(SlotTakenError) as refused:
        extend_booking(actor=ann, booking_id=running.id, minutes=30, clock=FixedClock(at(10, 50)))
    assert refused.value.facts["possible_minutes"] == 20
    longer = extend_booking(
        actor=ann, booking_id=running.id, minutes=20, clock=FixedClock(at(10, 50))
    )
    assert longer.interval == Interval(NOW, at(11, 20))


def test_case_087__extension_and_booking_of_the_same_minutes__one_gets_them():
    """Extended up to the next, in a race for it"""
    with contest_of(2) as contest:
        [scene] = contest.rounds("earlier", of=1)
        extended, booked = contest.race(
            scene,
            lambda: extend_booking(
                actor=contest.cast.bob, booking_id=scene.earlier.id, minutes=20,
                clock=FixedClock(at(10, 55)),
            ),
            booking(scene, contest.cast.cleo, Interval(at(11), at(11, 20))),
        )  # fmt: skip
        [refused] = of_type([extended, booked], SlotTakenError)
        if refused is extended:
            assert refused.facts["possible_minutes"] == 0


def _move(who, pk, slot):
    return lambda: edit_booking(actor=who, booking_id=pk, edit=BookingEdit(slot), clock=CLOCK)
