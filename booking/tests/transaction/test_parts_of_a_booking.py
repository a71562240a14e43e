"""The parts of a multi-room booking stay one booking when one of them changes."""

import pytest

from booking.commands.approve_booking import approve_booking
from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.close_room import Fate
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.commands.restore_booking import restore_booking
from booking.commands.swap_rooms import swap_rooms
from booking.domain.booking_data import BookingData
from booking.domain.errors import RoomClosedError
from booking.models import Booking
from booking.tests.commands.test_close_room import close
from booking.tests.factories import NOW, at, book, hours
from booking.transaction.step_hooks import Step, hooked
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.models import Room
from rooms.tests.factories import divide, policy, room

pytestmark = pytest.mark.django_db
THEN = FixedClock(NOW)
SOON = Interval(at(10, 5), at(12))


def book_all(rooms: list[Room], interval: Interval, by: Actor) -> list[BookingData]:
    wanted = BookRooms(tuple(each.uuid for each in rooms), interval)
    return list(book_rooms(actor=by, wanted=wanted, clock=THEN))


def stored_states(*parts: BookingData) -> set[tuple[str, object]]:
    found = Booking.objects.filter(pk__in=[part.id for part in parts])
    return set(found.values_list("state", "lapses_at"))


def test_approved__parts__have_the_earliest_check_in_deadline():
    one, other = room(), room()
    policy(one, approval="always")
    policy(other, check_in_grace_minutes=3)
    parts = book_all([one, other], hours(11, 12), actor("Ann"))
    approve_booking(actor=actor(role=Role.ADMIN), booking_id=parts[0].id, clock=THEN)
    assert stored_states(*parts) == {("confirmed", at(11, 3))}


def test_restored__parts_after_an_early_check_in__have_the_earliest_check_in_deadline():
    ann, one, other = actor("Ann"), room(), room()
    policy(other, check_in_grace_minutes=3)
    parts = book_all([one, other], SOON, ann)
    for command in (check_in, cancel_booking, restore_booking):
        command(actor=ann, booking_id=parts[0].id, clock=THEN)
    assert stored_states(*parts) == {("confirmed", at(10, 8))}


@pytest.mark.parametrize("how", ["edit", "swap", "close"])
def test_moved__after_an_early_check_in__both_parts_need_a_new_check_in(how):
    boss, one, other, third = actor("Bea", role=Role.ADMIN), room(), room(), room()
    parts = book_all([one, other], SOON, boss)
    check_in(actor=boss, booking_id=parts[0].id, clock=THEN)
    if how == "edit":
        edit = BookingEdit(room=third.uuid)
        edit_booking(actor=boss, booking_id=parts[0].id, edit=edit, clock=THEN)
    elif how == "swap":
        beside = book(third, hours(13, 14), by=boss)
        swap_rooms(actor=boss, booking_id=parts[0].id, other_id=beside.id, clock=THEN)
    else:
        close(one, SOON, move=(parts[0].id, third.uuid))
    assert stored_states(*parts) == {("confirmed", at(10, 15))}


def test_request__room_that_needs_approval_is_closed__confirms_the_other_part():
    one, other = room(), room()
    policy(one, approval="always", check_in_grace_minutes=3)
    parts = book_all([one, other], hours(11, 12), actor("Ann"))
    close(one, hours(11, 12), others=Fate.CANCEL)
    assert stored_states(parts[0]) == {("cancelled", None)}
    assert stored_states(parts[1]) == {("confirmed", at(11, 10))}


def test_request__moved_out_of_the_room_that_needs_approval__is_confirmed():
    bob, one, other, third = actor("Bob"), room(), room(), room()
    policy(one, approval="always")
    parts = book_all([one, other], hours(11, 12), bob)
    edit = BookingEdit(room=third.uuid)
    edit_booking(actor=bob, booking_id=parts[0].id, edit=edit, clock=THEN)
    assert stored_states(*parts) == {("confirmed", at(11, 10))}


@pytest.mark.parametrize("how", ["swap", "approve", "cancel"])
def test_part__moved_between_the_choice_of_rooms_and_their_lock__is_found_in_its_new_room(how):
    boss, one, other, third, fourth = actor(role=Role.ADMIN), *(room() for _ in range(4))
    if how == "approve":
        for place in (one, other, third):
            policy(place, approval="always")
    parts = book_all([one, other], hours(11, 12), actor("Bob"))
    beside = book(fourth, hours(13, 14), by=boss)
    done = []

    def move_the_other_part(_snapshot):
        if not done:
            done.append(Booking.objects.filter(pk=parts[1].id).update(room=third))

    with hooked(Step.ROOMS_CHOSEN, move_the_other_part):
        if how == "swap":
            swap_rooms(actor=boss, booking_id=parts[0].id, other_id=beside.id, clock=THEN)
        else:
            command = approve_booking if how == "approve" else cancel_booking
            command(actor=boss, booking_id=parts[0].id, clock=THEN)
    states = {state for state, _ in stored_states(*parts)}
    assert states == {"cancelled" if how == "cancel" else "confirmed"}


@pytest.mark.parametrize("to", [0, 1])
def test_moved__into_the_room_that_is_being_closed__is_refused(to):
    one, hall = room(), room()
    divide(hall, one)
    mine = book(one, hours(11, 12))
    with pytest.raises(RoomClosedError):
        close(one, hours(11, 12), move=(mine.id, (one, hall)[to].uuid))


def test_closed__hall_with_a_booking_in_a_retired_half__cancels_that_booking():
    hall, half, other = room(), room(), room()
    divide(hall, half, other)
    in_retired_half = book(half, hours(11, 12))
    Room.objects.filter(pk=half.pk).update(is_active=False)
    close(hall, hours(11, 12), others=Fate.CANCEL)
    assert stored_states(in_retired_half) == {("cancelled", None)}


def test_approved__beside_a_request_in_a_retired_half__is_confirmed():
    hall, half, other = room(), room(), room()
    divide(hall, half, other)
    for place in (hall, half, other):
        policy(place, approval="always", pending_blocks=False)
    book(half, hours(11, 12))
    mine = book(hall, hours(11, 12))
    Room.objects.filter(pk=half.pk).update(is_active=False)
    approve_booking(actor=actor(role=Role.ADMIN), booking_id=mine.id, clock=THEN)
    assert stored_states(mine) == {("confirmed", at(11, 10))}
