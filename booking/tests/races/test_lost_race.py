"""A command that lost the race decides by the current state; the waitlist gets freed slots."""

from dataclasses import replace

import pytest

from booking.commands.approve_booking import approve_booking
from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.cancel_booking import cancel_booking
from booking.commands.close_room import CloseRoom, Fate, close_room
from booking.commands.divide_hall import divide_hall
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.commands.restore_booking import restore_booking
from booking.commands.swap_rooms import swap_rooms
from booking.commands.waitlist import wait_for_slot
from booking.domain.errors import RoomClosedError, SlotTakenError
from booking.exchange.import_event import import_event
from booking.models import Booking, WaitingEntry
from booking.tests.factories import NOW, at, book, calendar_event, hours
from booking.tests.races import ROUNDS
from booking.tests.races.contest import SLOT, booking, contest_of
from booking.transaction.step_hooks import Step
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.models import Closure
from rooms.tests.factories import policy

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60 + 2 * ROUNDS)]
CLOCK = FixedClock(NOW)
OBSTACLES = {"taken": SlotTakenError, "closed": RoomClosedError}


def block_16_to_17(obstacle: str, of) -> None:
    """Make the slot from 16 to 17 unavailable in this room."""
    if obstacle == "taken":
        book(of, hours(16, 17))
    else:
        Closure.objects.create(room=of, starts_at=at(16), ends_at=at(17), reason="Painting")


def moved_to_four(scene, pk, by):
    edit = BookingEdit(interval=hours(16, 17))
    return lambda: edit_booking(actor=by, booking_id=pk, edit=edit, clock=CLOCK)


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_change_of_room__overtaken_by_a_change_of_time__is_evaluated_by_the_new_time(obstacle):
    with contest_of(2) as contest:
        [scene] = contest.rounds("occupant", of=1)
        block_16_to_17(obstacle, scene.other)
        ann, pk = scene.cast.ann, scene.occupant.id
        edit = BookingEdit(room=scene.other.uuid)
        refused, _ = outcomes = contest.race_threads.overtaken(
            lambda: edit_booking(actor=ann, booking_id=pk, edit=edit, clock=CLOCK),
            moved_to_four(scene, pk, ann),
            Step.ROOMS_CHOSEN,
        )
        assert contest.faults(scene, outcomes) == []
        assert isinstance(refused, OBSTACLES[obstacle])


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_swap__overtaken_by_a_change_of_time__is_evaluated_by_the_new_time(obstacle):
    with contest_of(2) as contest:
        [scene] = contest.rounds("occupant", "elsewhere", of=1)
        block_16_to_17(obstacle, scene.other)
        pk, other = scene.occupant.id, scene.elsewhere.id
        refused, _ = outcomes = contest.race_threads.overtaken(
            lambda: swap_rooms(
                actor=scene.cast.admin, booking_id=pk, other_id=other, clock=CLOCK
            ),
            moved_to_four(scene, pk, scene.cast.ann),
            Step.ROOMS_CHOSEN,
        )  # fmt: skip
        assert contest.faults(scene, outcomes) == []
        assert isinstance(refused, OBSTACLES[obstacle])


def test_approval__overtaken_by_a_change_of_time__is_evaluated_by_the_new_time():
    """The request moves to 16 to 17, where the room is then closed, before it is approved."""
    with contest_of(2) as contest:
        [scene] = contest.rounds(of=1)
        policy(scene.room, approval="always", pending_blocks=False)
        ann, admin = scene.cast.ann, scene.cast.admin
        request = booking(scene, ann)()
        closing = CloseRoom(scene.room.uuid, at(16), at(17), "Painting")

        def move_and_close():
            moved_to_four(scene, request.id, ann)()
            close_room(actor=admin, wanted=closing, clock=CLOCK)

        refused, _ = outcomes = contest.race_threads.overtaken(
            lambda: approve_booking(actor=admin, booking_id=request.id, clock=CLOCK),
            move_and_close,
            Step.ROOMS_CHOSEN,
        )
        assert contest.faults(scene, outcomes) == []
        assert isinstance(refused, RoomClosedError)


def test_two_rooms__with_a_due_no_show_and_a_waitlist__are_refused_by_the_hold():
    """The release makes an offer, which the releasing command must see, also under the lock."""
    with contest_of(1) as contest:
        [scene] = contest.rounds("occupant", "in_line", of=1)
        wanted = BookRooms((scene.room.uuid, scene.other.uuid), SLOT)
        late = FixedClock(at(11, 12))
        outcomes = contest.race_threads.at_once(
            lambda: book_rooms(actor=scene.cast.cleo, wanted=wanted, clock=late)
        )
        assert contest.faults(scene, outcomes) == []
        assert outcomes[0].code == "slot_held"


def test_closing__of_a_slot_with_a_waitlist__makes_no_offer():
    with contest_of(1) as contest:
        [scene] = contest.rounds("occupant", "in_line", of=1)
        actions = {scene.occupant.id: Fate.CANCEL}
        wanted = CloseRoom(scene.room.uuid, at(11), at(12), "Painting", actions)
        close_room(actor=scene.cast.admin, wanted=wanted, clock=CLOCK)
        assert contest.faults(scene, []) == []


@pytest.mark.parametrize("waited_for", ["room", "other"])
def test_hall_or_half__freed_with_a_waitlist_for_the_other__is_offered(waited_for):
    with contest_of(1) as contest:
        [scene] = contest.rounds("occupant", of=1)
        hall, half = (scene.room, scene.other)[:: 1 if waited_for == "other" else -1]
        divide_hall(
            actor=scene.cast.admin, hall=hall.uuid, cells=2,
            parts={half.uuid: (1, 1), scene.third.uuid: (2, 2)}, clock=CLOCK,
        )  # fmt: skip
        entry = wait_for_slot(
            actor=scene.cast.dan, room=scene.other.uuid, interval=SLOT, clock=CLOCK
        )
        cancel_booking(actor=scene.cast.ann, booking_id=scene.occupant.id, clock=CLOCK)
        assert WaitingEntry.objects.get(pk=entry.pk).offer is not None


def test_undo__of_a_release_that_an_import_then_cancels__restores_the_booking():
    """A calendar cancels a booking that was released as a no-show; the booking stays released."""
    with contest_of(1) as contest:
        [scene] = contest.rounds(of=1)
        admin, where, late = scene.cast.admin, scene.room.uuid, FixedClock(at(11, 10))
        event = calendar_event(f"uid-{where}", SLOT)
        import_event(actor=admin, room=where, event=event, clock=CLOCK)
        pk = Booking.objects.get(room=scene.room).pk
        edit = BookingEdit(interval=Interval(at(11), at(12, 30)))
        edit_booking(actor=admin, booking_id=pk, edit=edit, clock=CLOCK)
        expire_due_bookings(room=scene.room.uuid, clock=late)
        cancelled = replace(event, is_cancelled=True)
        import_event(actor=admin, room=where, event=cancelled, clock=late)
        assert Booking.objects.get(pk=pk).state == "released"
        assert restore_booking(actor=admin, booking_id=pk, clock=late).state == "checked_in"


def test_undo__of_a_release__restores_the_booking():
    with contest_of(1) as contest:
        [scene] = contest.rounds("occupant", of=1)
        late = FixedClock(at(11, 10))
        expire_due_bookings(room=scene.room.uuid, clock=late)
        restored = restore_booking(actor=scene.cast.ann, booking_id=scene.occupant.id, clock=late)
        assert (restored.state, restored.lapses_at) == ("checked_in", None)
