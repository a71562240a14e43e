"""Bookings in rooms that are divided, closed or given another time zone."""

from datetime import datetime, timedelta

import pytest
from django.core.management import call_command

from booking.commands.close_room import CloseRoom, Fate, close_room, reopen_room
from booking.commands.correct_timezone import Keep, correct_timezone, recheck_timezone
from booking.commands.divide_hall import divide_hall
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.domain.errors import RoomClosedError, SlotTakenError
from booking.models import Booking, as_range
from booking.tests.factories import NOW, at, book, hours
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError
from meeting_rooms.kernel.interval import Interval
from rooms.models import Closure, Room
from rooms.tests.factories import building, floor, room

pytestmark = pytest.mark.django_db
THEN = FixedClock(NOW)


def admin():
    return actor(role="admin")


def hall() -> tuple[Room, Room, Room]:
    """Return a hall with two halves."""
    house = floor(building())
    rooms = room("Hall", on=house), room("A", on=house), room("B", on=house)
    parts = {rooms[1].uuid: (1, 1), rooms[2].uuid: (2, 2)}
    divide_hall(actor=admin(), hall=rooms[0].uuid, cells=2, parts=parts, clock=THEN)
    return rooms


def test_case_009__booked_half__takes_the_hall_and_leaves_the_other_half():
    """A hall with two halves"""
    entire_hall, half, other = hall()
    book(half, hours(11, 12))
    with pytest.raises(SlotTakenError):
        book(entire_hall, hours(11, 12))
    book(other, hours(11, 12))
    with pytest.raises(SlotTakenError):
        book(half, hours(11, 12))
    book(entire_hall, hours(12, 13))
    with pytest.raises(SlotTakenError):
        book(other, hours(12, 13))


def test_case_009__booked_quarter__takes_its_half_and_the_hall():
    """A hall with two halves"""
    house = floor(building())
    entire_hall, half, other, quarter = (room(name, on=house) for name in ("Hall", "A", "B", "A1"))
    parts = {half.uuid: (1, 2), other.uuid: (3, 4), quarter.uuid: (1, 1)}
    divide_hall(actor=admin(), hall=entire_hall.uuid, cells=4, parts=parts, clock=THEN)
    book(quarter, hours(11, 12))
    for taken in (entire_hall, half, quarter):
        with pytest.raises(SlotTakenError):
            book(taken, hours(11, 12))
    book(other, hours(11, 12))


def test_case_009__hall_over_its_booked_half__is_refused_by_the_database():
    """A hall with two halves"""
    from django.db import IntegrityError

    entire_hall, half, _ = hall()
    book(half, hours(11, 12))
    with pytest.raises(IntegrityError, match="booking_no_overlap"):
        Booking.objects.create(
            room=entire_hall,
            during=as_range(hours(11, 12)),
            title="x",
            state="confirmed",
            created_at=NOW,
        )


def test_case_009__division_over_overlapping_bookings__is_refused():
    """A hall with two halves"""
    house = floor(building())
    entire_hall, half = room("Hall", on=house), room("A", on=house)
    book(entire_hall, hours(11, 12)), book(half, hours(11, 12))
    with pytest.raises(SlotTakenError):
        divide_hall(
            actor=admin(), hall=entire_hall.uuid, cells=2, parts={half.uuid: (1, 1)}, clock=THEN
        )
    assert not Room.objects.exclude(units=None).exists()


def test_case_090__closure_over_bookings__lists_them_and_cancels_with_consent_only():
    """A closure over existing bookings"""
    dogger, fisher, boss = room(), room("Fisher"), admin()
    kept, gone, moved = (book(dogger, hours(h, h + 1)) for h in (11, 12, 13))
    wanted = CloseRoom(dogger.uuid, at(11), at(14), "New carpet")
    with pytest.raises(ConflictError) as refused:
        close_room(actor=boss, wanted=wanted, clock=THEN)
    assert refused.value.code == "bookings_affected"
    assert len(refused.value.facts["bookings"]) == 3
    assert (Closure.objects.count(), Booking.objects.filter(takes_slot=True).count()) == (0, 3)
    actions = {kept.id: Fate.KEEP, gone.id: Fate.CANCEL, moved.id: fisher.uuid}
    consented = CloseRoom(dogger.uuid, at(11), at(14), "New carpet", actions)
    closure, _ = close_room(actor=boss, wanted=consented, clock=THEN)
    stored = {b.pk: (b.state, b.room.uuid) for b in Booking.objects.select_related("room")}
    assert stored == {
        kept.id: ("confirmed", dogger.uuid),
        gone.id: ("cancelled", dogger.uuid),
        moved.id: ("confirmed", fisher.uuid),
    }
    with pytest.raises(RoomClosedError):
        book(dogger, hours(13, 14))
    reopen_room(actor=boss, closure_id=closure, clock=FixedClock(at(12)))
    book(dogger, hours(13, 14), clock=FixedClock(at(12)))


def test_case_091__closure_of_days__leaves_the_time_before_and_after_bookable():
    """A closure of several days"""
    dogger = room()
    days = CloseRoom(dogger.uuid, at(12), at(12, day=15), "Painting")
    close_room(actor=admin(), wanted=days, clock=THEN)
    book(dogger, hours(11, 12))
    book(dogger, Interval(at(12, day=15), at(13, day=15)))
    for day in (13, 14):
        with pytest.raises(RoomClosedError):
            book(dogger, Interval(at(9, day=day), at(10, day=day)))


def test_case_092__booking_extended_into_a_closure__is_refused_with_its_reason():
    """A booking is edited across a closure"""
    ann, dogger = actor(), room()
    mine = book(dogger, hours(11, 12), by=ann)
    wanted = CloseRoom(dogger.uuid, at(12), at(14), "New carpet")
    close_room(actor=admin(), wanted=wanted, clock=THEN)
    with pytest.raises(RoomClosedError, match="New carpet"):
        edit_booking(
            actor=ann, booking_id=mine.id, edit=BookingEdit(interval=hours(11, 13)), clock=THEN
        )


def _booked_by_old_rules(dogger: Room) -> Booking:
    """Return a booking for 10:00 in July whose instant follows from outdated time zone rules."""
    start = datetime.fromisoformat("2026-07-01T06:00:00+00:00")
    mine = book(dogger, Interval(start, start + timedelta(hours=1)))
    Booking.objects.filter(pk=mine.id).update(
        local_start="2026-07-01T10:00:00", local_end="2026-07-01T11:00:00"
    )
    return Booking.objects.get(pk=mine.id)


def test_case_073__new_zone_rules__move_the_instant_and_keep_the_local_time():
    """The zone's rules change"""
    dogger = room()
    mine = _booked_by_old_rules(dogger)
    slug = dogger.floor.building.slug
    dry_run = recheck_timezone(actor=admin(), building=slug, is_dry_run=True, clock=THEN)
    assert [after.interval.start.hour for _, after in dry_run.changed] == [7]
    assert Booking.objects.get().interval == mine.interval
    version = Room.objects.get(pk=dogger.pk).schedule_version
    recheck_timezone(actor=admin(), building=slug, clock=THEN)
    moved = Booking.objects.get()
    assert (moved.interval.start.hour, moved.local_start) == (7, "2026-07-01T10:00:00")
    assert Room.objects.get(pk=dogger.pk).schedule_version == version + 1


def test_case_073__conflict_by_new_zone_rules__is_reported_and_not_moved():
    """The zone's rules change"""
    dogger = room()
    mine = _booked_by_old_rules(dogger)
    start = mine.interval.start + timedelta(hours=1)
    book(dogger, Interval(start, start + timedelta(hours=1)))
    report = recheck_timezone(actor=admin(), building=dogger.floor.building.slug, clock=THEN)
    assert len(report.clashing) == 1
    assert Booking.objects.filter(flags__contains=["local_time_lost"]).count() == 1


@pytest.mark.parametrize(
    ("keep", "instant", "local"),
    [(Keep.LOCAL, 12, "2026-03-12T13:00:00"), (Keep.INSTANT, 11, "2026-03-12T12:00:00")],
)
def test_case_074__corrected_zone__keeps_local_times_or_instants(keep, instant, local):
    """The room's zone was wrong"""
    dogger = room()
    book(dogger, hours(11, 12))  # 13:00 in Helsinki
    slug = dogger.floor.building.slug
    change = {"actor": admin(), "building": slug, "timezone": "Europe/Berlin", "keep": keep}
    dry_run = correct_timezone(**change, is_dry_run=True, clock=THEN)
    assert len(dry_run.changed) == 1
    assert Booking.objects.get().interval == hours(11, 12)
    correct_timezone(**change, clock=THEN)
    stored = Booking.objects.select_related("room__floor__building").get()
    assert (stored.interval.start.hour, stored.local_start) == (instant, local)
    assert stored.room.floor.building.timezone == "Europe/Berlin"


def test_correct_zone__dry_run_of_the_command__reports_the_changes(capsys):
    dogger = room()
    start = datetime.fromisoformat("2036-03-12T11:00:00+00:00")
    far = FixedClock(start - timedelta(days=1))
    book(dogger, Interval(start, start + timedelta(hours=1)), clock=far)
    slug = dogger.floor.building.slug
    call_command("correct_zone", slug, "--to", "Europe/Berlin", "--dry-run")
    assert "1 would change; 0 clash" in capsys.readouterr().out
