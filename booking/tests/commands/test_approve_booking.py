"""Requests of several rooms, and requests that do not block a slot, on approvals and changes."""

from datetime import datetime, time

import pytest

from booking.commands.approve_booking import approve_booking
from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.cancel_booking import cancel_booking
from booking.commands.correct_timezone import Keep, correct_timezone
from booking.commands.divide_hall import divide_hall
from booking.commands.restore_booking import restore_booking
from booking.domain.booking_data import BookingData
from booking.domain.states import BookingState
from booking.models import Booking
from booking.series.book_series import BookSeries, book_series
from booking.series.edit_series import SeriesEdit, edit_series
from booking.tests.factories import NOW, at, book, hours
from identity.queries import actor_of
from identity.tests.factories import actor, person
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import PermissionDeniedError
from rooms.models import Policy, Room
from rooms.tests.factories import building, floor, policy, room

pytestmark = pytest.mark.django_db
THEN = FixedClock(NOW)


def require_approval(*places: Room) -> None:
    """Make bookings of these rooms wait for approval, and allow several requests for one slot."""
    for place in places:
        Policy.objects.create(room=place, approval="always", pending_blocks=False)


def hall() -> tuple[Room, Room, Room]:
    house = floor(building())
    rooms = room("Hall", on=house), room("A", on=house), room("B", on=house)
    parts = {rooms[1].uuid: (1, 1), rooms[2].uuid: (2, 2)}
    divide_hall(actor=actor(role="admin"), hall=rooms[0].uuid, cells=2, parts=parts, clock=THEN)
    require_approval(*rooms)
    return rooms


def book_both(one: Room, other: Room, by: Actor | None = None) -> tuple[BookingData, ...]:
    wanted = BookRooms((one.uuid, other.uuid), hours(11, 12))
    return book_rooms(actor=by or actor(), wanted=wanted, clock=THEN)


def states() -> dict[object, str]:
    return dict(Booking.objects.values_list("pk", "state"))


def test_approve__of_both_halves__rejects_the_request_for_the_hall_once():
    hall_room, one, other = hall()
    rival = book(hall_room, hours(11, 12))
    parts = book_both(one, other)
    approve_booking(actor=actor(role="admin"), booking_id=parts[0].id, clock=THEN)
    assert states() == {
        rival.id: BookingState.REJECTED,
        parts[0].id: BookingState.CONFIRMED,
        parts[1].id: BookingState.CONFIRMED,
    }


def test_approve__beside_a_request_of_two_rooms__rejects_both_parts():
    one, other, ann = room(), room(), actor()
    require_approval(one, other)
    parts = book_both(one, other, ann)
    single = book(one, hours(11, 12))
    approve_booking(actor=actor(role="admin"), booking_id=single.id, clock=THEN)
    assert {states()[part.id] for part in parts} == {BookingState.REJECTED}
    assert states()[single.id] == BookingState.CONFIRMED


def test_cancel__of_a_request_of_two_rooms__cancels_both_parts():
    one, other, ann = room(), room(), actor()
    require_approval(one, other)
    parts = book_both(one, other, ann)
    cancel_booking(actor=ann, booking_id=parts[1].id, clock=THEN)
    assert set(states().values()) == {BookingState.CANCELLED}


def test_edit_series__of_requests__moves_them_and_cancels_dates_outside_the_rule():
    dogger, ann = room(), actor()
    require_approval(dogger)
    start = datetime.fromisoformat("2026-03-13T10:00")
    wanted = BookSeries(dogger.uuid, start, 60, "FREQ=DAILY;COUNT=3", "Retro")
    report = book_series(actor=ann, wanted=wanted, clock=THEN)
    edit = SeriesEdit(starts=time(16), title="Planning", rule="FREQ=DAILY;COUNT=2")
    changed = edit_series(actor=ann, series_id=report.series_id, edit=edit, clock=THEN)
    assert (len(changed.booked), len(changed.cancelled)) == (2, 1)
    asked = Booking.objects.filter(state=BookingState.PENDING).order_by("during")
    assert [(b.local_start[8:16], b.title) for b in asked] == [
        ("13T16:00", "Planning"),
        ("14T16:00", "Planning"),
    ]


def test_correct_timezone__keeping_local_times__moves_requests_too():
    dogger = room()
    require_approval(dogger)
    book(dogger, hours(11, 12))  # 13:00 in Helsinki
    correct_timezone(
        actor=actor(role="admin"),
        building=dogger.floor.building.slug,
        timezone="Europe/Berlin",
        keep=Keep.LOCAL,
        clock=THEN,
    )
    assert Booking.objects.get().interval == hours(12, 13)


def test_approve__beside_a_rival_request_of_two_rooms__needs_the_rooms_own_manager_only():
    mel, one, other = person("Mel"), room(), room()
    require_approval(one, other)
    policy(one, managers=[mel], approval="always", pending_blocks=False)
    mine, (rival, _) = book(one, hours(11, 12)), book_both(one, other)
    approve_booking(actor=actor_of(mel), booking_id=mine.id, clock=THEN)
    assert states()[mine.id] == BookingState.CONFIRMED
    assert states()[rival.id] == BookingState.REJECTED


def test_approve__no_longer_needed__is_refused_to_a_manager_of_a_rivals_room():
    mel, one, other = person("Mel"), room(), room()
    require_approval(one, other)
    policy(other, managers=[mel], approval="always", pending_blocks=False)
    mine, _ = book(one, hours(11, 12)), book_both(one, other)
    policy(one, approval="none")
    with pytest.raises(PermissionDeniedError):
        approve_booking(actor=actor_of(mel), booking_id=mine.id, clock=THEN)


def test_approve__against_the_rooms_rules__flags_the_violations():
    dogger, boss = room(), actor(role="admin")
    require_approval(dogger)
    policy(dogger, one_booking_a_day=True, gap_minutes=60)
    one, two = book(dogger, hours(11, 12)), book(dogger, hours(12, 13))
    first = approve_booking(actor=boss, booking_id=one.id, clock=THEN)
    second = approve_booking(actor=boss, booking_id=two.id, clock=THEN)
    assert (first.flags, set(second.flags)) == ((), {"gap_too_short", "day_taken"})


def test_restore__of_a_request_after_its_start__waits_until_its_end():
    ann, dogger = actor("Ann"), room()
    require_approval(dogger)
    mine = book(dogger, hours(11, 12), by=ann)
    cancel_booking(actor=ann, booking_id=mine.id, clock=FixedClock(at(10, 58)))
    back = restore_booking(actor=ann, booking_id=mine.id, clock=FixedClock(at(11, 1)))
    assert (back.state, back.lapses_at) == (BookingState.PENDING, at(12))
