"""Parts changed together are evaluated together; only shortening a part needs no evaluation."""

from dataclasses import replace
from datetime import time, timedelta

import pytest

from booking.commands.approve_booking import approve_booking
from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.book_walk_up import book_walk_up
from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.close_room import CloseRoom, Fate, close_room
from booking.commands.correct_timezone import Keep, correct_timezone
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.commands.extend_booking import extend_booking
from booking.commands.restore_booking import restore_booking
from booking.commands.swap_rooms import swap_rooms
from booking.domain.booking_data import BookingData
from booking.domain.errors import RuleError
from booking.exchange.import_event import import_event
from booking.models import Booking, Series
from booking.series.book_series import BookSeries, OnClash, book_series
from booking.series.edit_series import SeriesEdit, edit_series
from booking.tests.commands.test_book_walk_up import door
from booking.tests.factories import NOW, at, book, calendar_event, hours
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import QuotaPeriod
from rooms.models import Building, Room
from rooms.tests.factories import building, divide, every_day, floor, policy, room

pytestmark = pytest.mark.django_db
THEN = FixedClock(NOW)


def book_both(one: Room, other: Room, interval: Interval, by: Actor) -> tuple[BookingData, ...]:
    wanted = BookRooms((one.uuid, other.uuid), interval)
    return book_rooms(actor=by, wanted=wanted, clock=THEN)


def edited(who: Actor, booking: BookingData, interval: Interval) -> BookingData:
    edit = BookingEdit(interval=interval)
    return edit_booking(actor=who, booking_id=booking.id, edit=edit, clock=THEN)


def series(who: Actor, in_room: Room, hour: int, rule: str) -> list[BookingData]:
    wanted = BookSeries(in_room.uuid, at(hour).replace(tzinfo=None, day=13), 120, rule)
    return list(book_series(actor=who, wanted=wanted, clock=THEN).booked)


def test_swap__beyond_the_organizers_quota_of_the_other_room__is_refused():
    ann, one, other = actor("Ann"), room(), room()
    policy(other).quotas.create(period=QuotaPeriod.DAY, max_minutes=120)
    long = book(one, Interval(at(11), at(12, 30)), by=ann)
    short, _ = book(other, hours(11, 12), by=ann), book(other, hours(13, 14), by=ann)
    with pytest.raises(RuleError) as refused:
        swap_rooms(actor=ann, booking_id=long.id, other_id=short.id, clock=THEN)
    assert refused.value.code == "quota_of_minutes"
    assert refused.value.facts["refusals"][0]["used"] == 60


def test_swap__part_into_the_hall_of_another_part__is_refused():
    ann, hall, left, right, other = actor("Ann"), *(room() for _ in range(4))
    divide(hall, left, right)
    for requested in (hall, left):
        policy(requested, approval="always", pending_blocks=False)
    _, part = book_both(left, other, hours(11, 12), ann)
    hall_booking = book(hall, hours(13, 14), by=ann)
    with pytest.raises(InvalidCommandError) as refused:
        swap_rooms(actor=ann, booking_id=part.id, other_id=hall_booking.id, clock=THEN)
    assert refused.value.code == "rooms_overlap"


def test_swap__part_into_a_room_with_approval__makes_all_parts_wait():
    ann, one, other, with_approval = actor("Ann"), *(room() for _ in range(3))
    first, second = book_both(one, other, hours(11, 12), ann)
    third = book(with_approval, hours(13, 14), by=ann)
    policy(with_approval, approval="always")
    swap_rooms(actor=ann, booking_id=second.id, other_id=third.id, clock=THEN)
    states = {b.pk: (b.state, b.room.pk) for b in Booking.objects.select_related("room")}
    assert states == {
        first.id: ("pending", one.pk),
        second.id: ("pending", with_approval.pk),
        third.id: ("confirmed", other.pk),
    }


def test_edit__of_two_rooms__counts_both_for_the_quota():
    ann, house = actor("Ann"), building()
    one, other = room(on=floor(house)), room(on=floor(house))
    policy(house).quotas.create(period=QuotaPeriod.DAY, max_minutes=150)
    first, _ = book_both(one, other, hours(11, 12), ann)
    with pytest.raises(RuleError) as refused:
        edited(ann, first, Interval(at(11), at(12, 30)))
    assert refused.value.code == "quota_of_minutes"
    edited(ann, first, Interval(at(11), at(12, 15)))


def test_restore__of_two_rooms_with_quota_for_one__is_refused():
    ann, house = actor("Ann"), building()
    one, other = room(on=floor(house)), room(on=floor(house))
    policy(house).quotas.create(period=QuotaPeriod.DAY, max_count=2)
    first, _ = book_both(one, other, hours(11, 12), ann)
    cancel_booking(actor=ann, booking_id=first.id, clock=THEN)
    book(one, hours(13, 14), by=ann)
    with pytest.raises(RuleError) as refused:
        restore_booking(actor=ann, booking_id=first.id, clock=THEN)
    assert refused.value.code == "quota_of_bookings"
    assert Booking.objects.filter(takes_slot=True).count() == 1


def test_shortened__below_the_exempt_length__needs_a_check_in():
    ann, dogger = actor("Ann"), room()
    policy(dogger, check_in_exempt_minutes=240)
    mine = book(dogger, hours(11, 19), by=ann)
    assert mine.lapses_at is None
    assert edited(ann, mine, hours(11, 16)).lapses_at is None
    assert edited(ann, mine, hours(11, 12)).lapses_at == at(11, 10)


def test_shortened__at_the_front_after_an_early_check_in__needs_a_new_check_in():
    ann, dogger = actor("Ann"), room()
    mine = book(dogger, Interval(at(10, 5), at(12)), by=ann)
    check_in(actor=ann, booking_id=mine.id, clock=THEN)
    assert edited(ann, mine, Interval(at(10, 5), at(11, 30))).state == "checked_in"
    later = edited(ann, mine, Interval(at(11), at(11, 30)))
    assert (later.state, later.lapses_at) == ("confirmed", at(11, 10))


def test_shortened__while_running_without_check_in__lapses_at_its_end_at_the_latest():
    ann, dogger = actor("Ann"), room()
    mine = book(dogger, Interval(at(10, 5), at(11)), by=ann)
    edit = BookingEdit(interval=Interval(at(10, 5), at(10, 8)))
    running = FixedClock(at(10, 6))
    after = edit_booking(actor=ann, booking_id=mine.id, edit=edit, clock=running)
    assert after.lapses_at == at(10, 8)


def test_shortened__to_a_past_end__is_refused():
    ann, dogger = actor("Ann"), room()
    mine = book(dogger, hours(10, 12), by=ann)
    edit = BookingEdit(interval=Interval(at(10), at(10, 1)))
    with pytest.raises(InvalidCommandError) as refused:
        edit_booking(actor=ann, booking_id=mine.id, edit=edit, clock=FixedClock(at(11, 59)))
    assert refused.value.code == "in_the_past"


def test_shortened__imported_booking__still_needs_no_check_in():
    boss, dogger = actor(role=Role.ADMIN), room()
    event = calendar_event("uid-1", hours(11, 13))
    import_event(actor=boss, room=dogger.uuid, event=event, clock=THEN)
    after = edited(boss, Booking.objects.get().as_data(), hours(11, 12))
    assert (after.state, after.lapses_at) == ("confirmed", None)


def test_series__only_shortened__keeps_its_approval_and_needs_no_notice():
    ann, boss, dogger = actor("Ann"), actor(role=Role.ADMIN), room()
    policy(dogger, approval="always")
    dates = series(ann, dogger, 12, "FREQ=DAILY;COUNT=3")
    for date in dates:
        approve_booking(actor=boss, booking_id=date.id, clock=THEN)
    policy(dogger, notice_minutes=60 * 24 * 30)
    edit = SeriesEdit(minutes=60)
    report = edit_series(actor=ann, series_id=dates[0].series_id, edit=edit, clock=THEN)
    assert [(b.state, b.interval.duration) for b in report.booked] == [
        ("confirmed", timedelta(hours=1))
    ] * 3
    assert [b.lapses_at - b.interval.start for b in report.booked] == [timedelta(minutes=10)] * 3
    assert {b.id for b in report.booked} == {date.id for date in dates}


def test_series__refused_date_that_blocks_another_date__keeps_both():
    ann, dogger = actor("Ann"), room()
    dates = series(ann, dogger, 12, "FREQ=DAILY;COUNT=3")  # 12:00 to 14:00 in Helsinki
    first, second, third = dates
    # The second date is moved to the end of the first; an hour later, each needs the next slot.
    moved = Interval(first.interval.end, first.interval.end + timedelta(hours=2))
    edited(ann, second, moved)
    book(dogger, Interval(moved.end, moved.end + timedelta(hours=1)))
    report = edit_series(
        actor=ann,
        series_id=first.series_id,
        edit=SeriesEdit(starts=time(13), moves_exceptions=True, on_clash=OnClash.BOOK_THE_REST),
        clock=THEN,
    )
    assert [b.id for b in report.booked] == [third.id]
    assert [date.code for date in report.refused] == ["slot_taken", "slot_taken"]
    kept = {
        b.pk: b.as_data().interval for b in Booking.objects.filter(pk__in=[first.id, second.id])
    }
    assert kept == {first.id: first.interval, second.id: moved}


def test_walk_up__at_an_odd_second_in_a_room_with_steps__is_booked_and_extended():
    den, odd = room(), FixedClock(at(10, 7) + timedelta(seconds=33))
    policy(den, step_minutes=15, hours=every_day("08:00", "18:00"))
    facts = book_walk_up(actor=door(den), room=den.uuid, minutes=15, clock=odd)
    assert facts.interval.start == odd.now()
    longer = extend_booking(actor=door(den), booking_id=facts.id, minutes=30, clock=odd)
    assert longer.interval.duration == timedelta(minutes=45)
    with pytest.raises(RuleError) as refused:
        extend_booking(actor=door(den), booking_id=facts.id, minutes=5, clock=odd)
    assert refused.value.code == "length_not_in_steps"


@pytest.mark.parametrize(("others", "left"), [(Fate.KEEP, 502), (Fate.CANCEL, 1)])
def test_close__over_more_bookings_than_are_listed__takes_one_action_for_the_others(others, left):
    boss, dogger = actor(role=Role.ADMIN), room()
    first = book(dogger, hours(11, 12)).id
    for start in (at(12) + n * timedelta(hours=1) for n in range(501)):
        book(dogger, Interval(start, start + timedelta(hours=1)), by=boss)
    wanted = CloseRoom(dogger.uuid, at(11), None, "Painting", {first: Fate.KEEP})
    with pytest.raises(ConflictError) as refused:
        close_room(actor=boss, wanted=wanted, clock=THEN)
    assert (refused.value.facts["count"], len(refused.value.facts["bookings"])) == (501, 500)
    close_room(actor=boss, wanted=replace(wanted, others=others), clock=THEN)
    assert Booking.objects.filter(takes_slot=True).count() == left


@pytest.mark.parametrize("is_dry_run", [True, False])
def test_zone__of_a_building_without_active_rooms__can_be_corrected(is_dry_run):
    ann, house = actor("Ann"), building()
    attic = room(on=floor(house))
    series(ann, attic, 12, "FREQ=DAILY;COUNT=2")
    Room.objects.update(is_active=False)
    correct_timezone(
        actor=actor(role=Role.ADMIN),
        building=house.slug,
        timezone="Asia/Tokyo",
        keep=Keep.LOCAL,
        is_dry_run=is_dry_run,
        clock=THEN,
    )
    zone = "Europe/Helsinki" if is_dry_run else "Asia/Tokyo"
    assert Building.objects.get().timezone == zone
    assert Series.objects.get().timezone == zone
