"""Walk-ups, and commands that refuse a device even without the REST API in front of them."""

from datetime import timedelta

import pytest

from booking.commands.book_room import BookRooms, book_room
from booking.commands.book_walk_up import book_walk_up
from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.models import AuditEntry
from booking.tests.factories import NOW, book, hours, soon
from identity.tests.factories import actor
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import InvalidCommandError, NotFoundError, PermissionDeniedError
from rooms.tests.factories import policy, room

pytestmark = pytest.mark.django_db
CLOCK = FixedClock(NOW)


def door(*rooms) -> Actor:
    return Actor(ActorKind.DEVICE, "Door", rooms=frozenset(one.uuid for one in rooms))


def test_walk_up__in_a_free_room__begins_now_checked_in_without_organizer():
    den = room()
    walk_up = book_walk_up(actor=door(den), room=den.uuid, minutes=15, clock=CLOCK)
    assert (walk_up.interval.start, walk_up.interval.duration) == (NOW, timedelta(minutes=15))
    assert (walk_up.state, walk_up.organizer, walk_up.organizer_id) == ("checked_in", "Door", None)
    assert walk_up.flags == ("walk_up",)
    entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.actor_name, entry.command) == ("device", "Door", "take_walk_up")


@pytest.mark.parametrize(
    "rules", [{"bookable_by": "managers"}, {"bookable_by": "listed"}, {"approval": "always"}]
)
def test_walk_up__in_a_room_with_restricted_booking__is_refused(rules):
    den = room()
    policy(den, **rules)
    with pytest.raises(PermissionDeniedError) as refused:
        book_walk_up(actor=door(den), room=den.uuid, minutes=15, clock=CLOCK)
    assert refused.value.code == "not_at_the_door"
    assert refused.value.detail.startswith(f"Sign in to book {den.name}")


@pytest.mark.parametrize("minutes", [0, -1, 8 * 60 + 1])
def test_walk_up__invalid_length__is_refused(minutes):
    den = room()
    with pytest.raises(InvalidCommandError):
        book_walk_up(actor=door(den), room=den.uuid, minutes=minutes, clock=CLOCK)


def test_walk_up__in_another_room__is_not_found():
    with pytest.raises(NotFoundError):
        book_walk_up(actor=door(room()), room=room().uuid, minutes=15, clock=CLOCK)


def test_walk_up__by_a_person__is_refused():
    with pytest.raises(PermissionDeniedError):
        book_walk_up(actor=actor(), room=room().uuid, minutes=15, clock=CLOCK)


def test_commands_of_people__by_a_device__are_refused():
    den, other = room(), room()
    booked, elsewhere = book(den, hours(12, 13)), book(other, soon(5))
    with pytest.raises(PermissionDeniedError):
        book_room(actor=door(den), wanted=BookRooms.one(den.uuid, hours(14, 15)), clock=CLOCK)
    with pytest.raises(PermissionDeniedError):
        cancel_booking(actor=door(den), booking_id=booked.id, clock=CLOCK)
    with pytest.raises(PermissionDeniedError):
        edit_booking(
            actor=door(den), booking_id=booked.id, edit=BookingEdit(title="x"), clock=CLOCK
        )
    with pytest.raises(NotFoundError):
        check_in(actor=door(den), booking_id=elsewhere.id, clock=CLOCK)
