"""Every entry point enforces the same rules."""

from datetime import datetime, timedelta

import pytest

from booking.commands.approve_booking import approve_booking
from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.close_room import CloseRoom, Fate, close_room
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.commands.extend_booking import extend_booking
from booking.commands.hold_slot import hold_slot
from booking.commands.restore_booking import restore_booking
from booking.commands.swap_rooms import swap_rooms
from booking.commands.waitlist import wait_for_slot
from booking.domain.errors import RuleError, StaleVersionError
from booking.domain.states import BookingState
from booking.models import Booking, WaitingEntry
from booking.queries.history import history_of
from booking.series.book_series import BookSeries, book_series
from booking.series.edit_series import SeriesEdit, edit_series
from booking.tests.factories import NOW, at, book, hours
from identity.models import User
from identity.tests.factories import actor
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError, PermissionDeniedError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import QuotaPeriod
from rooms.models import Policy, Room
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db
THEN = FixedClock(NOW)


def with_policy(**rules: object) -> Room:
    created = room()
    Policy.objects.create(room=created, **rules)
    return created


def manager_of(*places: Room) -> Actor:
    manager = actor("Mel")
    for place in places:
        policy, _ = Policy.objects.get_or_create(room=place)
        policy.people.create(user=User.objects.get(pk=manager.user_id), role="manager")
    return manager


def test_history__of_a_private_booking_made_from_a_hold__hides_name_and_title():
    ann, dogger = actor("Ann Secret"), room()
    hold_slot(actor=ann, room=dogger.uuid, interval=hours(11, 12), clock=THEN)
    mine = book(dogger, hours(11, 12), by=ann, title="Takeover", private=True)
    shown = repr(history_of(mine.id, actor("Stranger")))
    assert "Ann Secret" not in shown
    assert "Takeover" not in shown


def test_history__of_a_booking_made_private_later__hides_its_former_title():
    ann = actor("Ann")
    mine = book(room(), hours(11, 12), by=ann, title="Takeover")
    edit_booking(actor=ann, booking_id=mine.id, edit=BookingEdit(private=True), clock=THEN)
    assert "Takeover" not in repr(history_of(mine.id, actor()))
    assert "Takeover" in repr(history_of(mine.id, ann))


def test_stale_edit__of_a_private_booking__hides_its_title_from_a_room_manager():
    ann, dogger = actor("Ann"), room()
    mel = manager_of(dogger)
    mine = book(dogger, hours(11, 12), by=ann, title="Layoffs", private=True)
    edit_booking(actor=ann, booking_id=mine.id, edit=BookingEdit(title="More"), clock=THEN)
    with pytest.raises(StaleVersionError) as refused:
        edit_booking(
            actor=mel,
            booking_id=mine.id,
            edit=BookingEdit(title="x"),
            expected_version=1,
            clock=THEN,
        )
    assert "Layoffs" not in repr(refused.value.facts)


def test_extend__of_a_running_approved_booking__is_refused_and_changes_nothing():
    ann, admin = actor(), actor(role="admin")
    dogger = with_policy(approval="always")
    mine = book(dogger, hours(11, 12), by=ann)
    approve_booking(actor=admin, booking_id=mine.id, clock=THEN)
    check_in(actor=ann, booking_id=mine.id, clock=FixedClock(at(11)))
    during = FixedClock(at(11, 30))
    with pytest.raises(ConflictError) as refused:
        extend_booking(actor=ann, booking_id=mine.id, minutes=30, clock=during)
    assert refused.value.code == "needs_approval"
    assert Booking.objects.get().state == BookingState.CHECKED_IN
    longer = extend_booking(actor=admin, booking_id=mine.id, minutes=30, clock=during)
    assert (longer.state, longer.interval.end) == (BookingState.CHECKED_IN, at(12, 30))


def test_swap__into_a_room_with_approval__becomes_pending():
    ann = actor()
    asking, free = with_policy(approval="always"), room()
    request, mine = book(asking, hours(11, 12), by=ann), book(free, hours(11, 12), by=ann)
    swap_rooms(actor=ann, booking_id=request.id, other_id=mine.id, clock=THEN)
    states = {b.room_id: b.state for b in Booking.objects.all()}
    assert states == {asking.pk: BookingState.PENDING, free.pk: BookingState.CONFIRMED}


def test_close__by_the_manager_of_one_room__moves_no_booking_into_another():
    mine, other = room(), room()
    mel = manager_of(mine)
    booked = book(mine, hours(11, 12), by=mel)
    wanted = CloseRoom(mine.uuid, at(11), at(12), "Paint", {booked.id: other.uuid})
    with pytest.raises(PermissionDeniedError):
        close_room(actor=mel, wanted=wanted, clock=THEN)
    assert Booking.objects.get().room == mine


def test_close__by_the_manager_of_a_half__cancels_no_booking_of_the_hall():
    from booking.commands.divide_hall import divide_hall

    hall, half = room(), room()
    parts = {half.uuid: (1, 1)}
    divide_hall(actor=actor(role="admin"), hall=hall.uuid, cells=2, parts=parts, clock=THEN)
    booked = book(hall, hours(11, 12))
    wanted = CloseRoom(half.uuid, at(11), at(12), "Paint", {booked.id: Fate.CANCEL})
    with pytest.raises(PermissionDeniedError):
        close_room(actor=manager_of(half), wanted=wanted, clock=THEN)


def test_restore__over_a_quota__is_refused():
    ann, dogger = actor(), room()
    policy = Policy.objects.create(room=dogger)
    policy.quotas.create(period=QuotaPeriod.DAY, max_count=1)
    first = book(dogger, hours(11, 12), by=ann)
    cancel_booking(actor=ann, booking_id=first.id, clock=THEN)
    book(dogger, hours(12, 13), by=ann)
    with pytest.raises(RuleError) as refused:
        restore_booking(actor=ann, booking_id=first.id, clock=THEN)
    assert refused.value.code == "quota_of_bookings"


def test_wait__for_a_slot_against_the_rules__is_refused():
    dogger = with_policy(max_minutes=60)
    book(dogger, hours(11, 12))
    with pytest.raises(RuleError) as refused:
        long = Interval(at(11), at(11) + timedelta(days=50))
        wait_for_slot(actor=actor(), room=dogger.uuid, interval=long, clock=THEN)
    assert refused.value.code == "too_long"
    assert not WaitingEntry.objects.exists()


def test_offer__to_the_first_on_the_waitlist__is_private():
    ann, dogger = actor(), room()
    mine = book(dogger, hours(11, 12), by=ann)
    waitlist_slot = {"room": dogger.uuid, "interval": hours(11, 12), "title": "Layoffs"}
    wait_for_slot(actor=actor("Bob"), **waitlist_slot, clock=THEN)
    cancel_booking(actor=ann, booking_id=mine.id, clock=THEN)
    offer = Booking.objects.get(state=BookingState.HELD)
    assert (offer.organizer_name, offer.is_private) == ("Bob", True)


def test_edit__of_the_attendees_alone__checks_the_capacity():
    ann = actor()
    dogger = with_policy(capacity_rule="refuse")
    mine = book(dogger, hours(11, 12), by=ann)
    with pytest.raises(RuleError) as refused:
        edit_booking(actor=ann, booking_id=mine.id, edit=BookingEdit(attendees=400), clock=THEN)
    assert refused.value.code == "over_capacity"


def test_own_hold__in_the_slot__does_not_block_a_series_or_an_edit():
    ann, dogger = actor(), room()
    hold_slot(actor=ann, room=dogger.uuid, interval=hours(11, 12), clock=THEN)
    start = datetime.fromisoformat("2026-03-12T13:00")  # 11:00 UTC
    wanted = BookSeries(dogger.uuid, start, 60, "FREQ=DAILY;COUNT=2")
    book_series(actor=ann, wanted=wanted, clock=THEN)
    hold_slot(actor=ann, room=dogger.uuid, interval=hours(15, 16), clock=THEN)
    mine = book(dogger, hours(14, 15), by=ann)
    edit = BookingEdit(interval=hours(14, 16))
    edit_booking(actor=ann, booking_id=mine.id, edit=edit, clock=THEN)
    assert not Booking.objects.filter(state=BookingState.HELD).exists()


def test_edit_series__of_the_attendees_alone__checks_the_capacity():
    ann = actor()
    dogger = with_policy(capacity_rule="refuse")
    start = datetime.fromisoformat("2026-03-13T10:00")
    wanted = BookSeries(dogger.uuid, start, 60, "FREQ=DAILY;COUNT=2")
    report = book_series(actor=ann, wanted=wanted, clock=THEN)
    with pytest.raises(RuleError):
        edit_series(
            actor=ann, series_id=report.series_id, edit=SeriesEdit(attendees=400), clock=THEN
        )
