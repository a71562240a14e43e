"""Closing a room: the action for each affected booking."""

import pytest

from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.check_in import check_in
from booking.commands.close_room import CloseRoom, Fate, close_room
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.commands.hold_slot import hold_slot
from booking.commands.restore_booking import restore_booking
from booking.domain.booking_data import BookingData
from booking.domain.errors import RoomClosedError, SlotTakenError
from booking.models import Booking
from booking.tests.factories import NOW, at, book, hours
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import QuotaPeriod
from rooms.models import Closure, Room
from rooms.tests.factories import divide, policy, room

pytestmark = pytest.mark.django_db
THEN = FixedClock(NOW)


def close(
    of: Room, interval: Interval, *, others: Fate | None = None, **actions: object
) -> tuple[BookingData, ...]:
    chosen = {action[0]: action[1] for action in actions.values()}
    wanted = CloseRoom(of.uuid, interval.start, interval.end, "Painting", chosen, others)
    return close_room(actor=actor(role=Role.ADMIN), wanted=wanted, clock=THEN)[1]


def stored() -> dict[object, tuple[str, int]]:
    return {b.pk: (b.state, b.room.pk) for b in Booking.objects.select_related("room")}


def test_move__into_a_later_closure_of_the_other_room__is_refused():
    one, other = room(), room()
    mine = book(one, Interval(at(11, 30), at(13)))
    Closure.objects.create(room=other, starts_at=at(12, 15), ends_at=at(14), reason="Carpet")
    with pytest.raises(RoomClosedError):
        close(one, hours(11, 12), move=(mine.id, other.uuid))


def test_move__onto_a_later_booking_of_the_other_room__is_refused():
    one, other = room(), room()
    mine = book(one, Interval(at(11, 30), at(13)))
    book(other, hours(12, 14))
    with pytest.raises(SlotTakenError):
        close(one, hours(11, 12), move=(mine.id, other.uuid))


def test_move__too_close_to_the_next_booking_of_the_other_room__is_flagged():
    one, other = room(), room()
    policy(other, gap_minutes=30)
    mine = book(one, hours(11, 14))
    book(other, hours(14, 15))
    [moved] = close(one, hours(11, 12), move=(mine.id, other.uuid))
    assert (moved.room, moved.flags) == (other.uuid, ("gap_too_short",))


def test_cancel__one_of_two_rooms__leaves_the_other_to_its_check_in():
    ann, one, other = actor("Ann"), room(), room()
    wanted = BookRooms((one.uuid, other.uuid), Interval(at(10, 5), at(12)))
    first, second = book_rooms(actor=ann, wanted=wanted, clock=THEN)
    close(one, Interval(at(10, 5), at(12)), cancel=(first.id, Fate.CANCEL))
    check_in(actor=ann, booking_id=second.id, clock=THEN)
    expire_due_bookings(room=other.uuid, clock=FixedClock(at(10, 30)))
    assert stored() == {first.id: ("cancelled", one.pk), second.id: ("checked_in", other.pk)}
    Closure.objects.all().delete()
    restore_booking(actor=ann, booking_id=first.id, clock=THEN)
    assert stored()[first.id] == ("confirmed", one.pk)


def test_move__one_of_two_rooms__applies_the_shortest_grace_to_both():
    ann, one, other, hasty = actor("Ann"), room(), room(), room()
    policy(hasty, check_in_grace_minutes=3)
    wanted = BookRooms((one.uuid, other.uuid), hours(11, 12))
    first, second = book_rooms(actor=ann, wanted=wanted, clock=THEN)
    close(one, hours(11, 12), move=(first.id, hasty.uuid))
    found = dict(Booking.objects.values_list("pk", "lapses_at"))
    assert found == {first.id: at(11, 3), second.id: at(11, 3)}


def test_move__one_of_two_rooms_into_the_hall_of_the_other__is_refused():
    ann, one, half, hall = actor("Ann"), room(), room(), room()
    divide(hall, half)
    wanted = BookRooms((one.uuid, half.uuid), hours(11, 12))
    first, _ = book_rooms(actor=ann, wanted=wanted, clock=THEN)
    with pytest.raises((InvalidCommandError, SlotTakenError)):
        close(one, hours(11, 12), move=(first.id, hall.uuid))


def test_close__from_a_past_start__keeps_bookings_that_are_over():
    ann, dogger = actor("Ann"), room()
    over = book(dogger, hours(8, 9), by=ann, clock=FixedClock(at(7)))
    check_in(actor=ann, booking_id=over.id, clock=FixedClock(at(8)))
    ahead = book(dogger, hours(11, 12), by=ann)
    close(dogger, hours(7, 12), others=Fate.CANCEL)
    assert stored() == {over.id: ("checked_in", dogger.pk), ahead.id: ("cancelled", dogger.pk)}


def test_close__over_a_hold__releases_it_without_a_chosen_action():
    ann, dogger = actor("Ann"), room()
    hold = hold_slot(actor=ann, room=dogger.uuid, interval=hours(11, 12), clock=THEN)
    close(dogger, hours(11, 12))
    assert stored() == {hold.id: ("lapsed", dogger.pk)}


def test_move__beyond_the_quota_of_its_organizer__is_allowed_to_a_manager():
    ann, one, other = actor("Ann"), room(), room()
    policy(other).quotas.create(period=QuotaPeriod.DAY, max_count=1)
    book(other, hours(15, 16), by=ann)
    mine = book(one, hours(11, 12), by=ann)
    [moved] = close(one, hours(11, 12), move=(mine.id, other.uuid))
    assert (moved.room, moved.state) == (other.uuid, "confirmed")
