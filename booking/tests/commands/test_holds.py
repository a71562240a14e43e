"""Holding a slot, renewing and releasing a hold: limits, ownership, and holds beside bookings."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from booking.commands.cancel_booking import cancel_booking
from booking.commands.hold_slot import hold_slot
from booking.commands.release_hold import release_hold
from booking.commands.renew_hold import renew_hold
from booking.commands.waitlist import wait_for_slot
from booking.domain.booking_data import BookingData
from booking.domain.states import BookingState
from booking.models import AuditEntry, Booking
from booking.repository import bookings_during
from booking.tests.factories import NOW, at, book, hours
from booking.transaction.database_clock import DATABASE_CLOCK
from identity.tests.factories import actor, bearer, person
from meeting_rooms.kernel.actor import SYSTEM_ACTOR, Actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import (
    ConflictError,
    MeetingRoomsError,
    NotFoundError,
    PermissionDeniedError,
)
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import Approval
from rooms.models import Room
from rooms.tests.factories import divide, policy, room

pytestmark = pytest.mark.django_db
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def hold(where: Room, interval: Interval, *, by: Actor, after: timedelta = timedelta(0)):
    clock = FixedClock(NOW + after)
    return hold_slot(actor=by, room=where.uuid, interval=interval, clock=clock)


def renew(held: BookingData, *, by: Actor, after: timedelta) -> BookingData:
    return renew_hold(actor=by, hold=held.id, clock=FixedClock(NOW + after))


def test_hold_slot__free_slot__takes_it_for_two_minutes():
    held = hold(room(), hours(11, 12), by=actor("Ann"))
    stored = Booking.objects.get()
    assert (stored.state, stored.takes_slot) == ("held", True)
    assert (stored.lapses_at, stored.organizer_name) == (NOW + 2 * MINUTE, "Ann")
    assert held.expires_at == NOW + 2 * MINUTE


def test_hold_slot__taken_slot__is_refused_and_names_the_interval():
    dogger = room()
    book(dogger, hours(11, 12))
    with pytest.raises(ConflictError) as refused:
        hold(dogger, hours(11, 13), by=actor())
    assert refused.value.code == "slot_taken"
    assert refused.value.facts["taken"] == [
        {"starts_at": at(11).isoformat(), "ends_at": at(12).isoformat()}
    ]


def test_hold_slot__by_the_system_actor__is_refused():
    with pytest.raises(PermissionDeniedError):
        hold(room(), hours(11, 12), by=SYSTEM_ACTOR)


def test_hold_slot__in_the_past__is_refused():
    with pytest.raises(MeetingRoomsError) as refused:
        hold(room(), hours(8, 9), by=actor())
    assert refused.value.code == "in_the_past"


def test_hold_slot__other_slot_over_the_first__replaces_it():
    dogger, ann = room(), actor()
    first = hold(dogger, hours(11, 12), by=ann)
    second = hold(dogger, hours(11, 13), by=ann, after=SECOND)
    live = Booking.objects.get(state=BookingState.HELD)
    assert (live.pk, live.interval) == (second.id, hours(11, 13))
    assert Booking.objects.get(pk=first.id).state == BookingState.LAPSED


def test_hold_slot__same_slot_again__renews_and_keeps_created_at():
    dogger, ann = room(), actor()
    first = hold(dogger, hours(11, 12), by=ann)
    again = hold(dogger, hours(11, 12), by=ann, after=MINUTE)
    assert (again.id, again.created_at) == (first.id, first.created_at)
    assert again.expires_at == NOW + 3 * MINUTE


def test_hold_slot__same_slot_same_instant__writes_nothing():
    dogger, ann = room(), actor()
    assert hold(dogger, hours(11, 12), by=ann) == hold(dogger, hours(11, 12), by=ann)
    assert AuditEntry.objects.count() == 1


def test_hold_slot__replacing_one_of_three__adds_no_fourth():
    rooms, ann = [room() for _ in range(3)], actor()
    for where in rooms:
        hold(where, hours(11, 12), by=ann)
    hold(rooms[0], hours(11, 13), by=ann)
    assert Booking.objects.filter(state=BookingState.HELD).count() == 3


def test_hold_slot__an_offer_from_the_waitlist__does_not_count():
    ann, taken = actor(), room()
    booked = book(taken, hours(11, 12))
    wait_for_slot(actor=ann, room=taken.uuid, interval=hours(11, 12), clock=FixedClock(NOW))
    cancel_booking(actor=SYSTEM_ACTOR, booking_id=booked.id, clock=FixedClock(NOW))
    for _ in range(3):
        hold(room(), hours(11, 12), by=ann)
    assert Booking.objects.filter(state=BookingState.HELD, organizer_id=ann.user_id).count() == 4


@pytest.mark.parametrize(
    ("at_minute", "ends_at_minute"), [(1, 3), (1.5, 3.5), (1.999, 3.999)], ids=str
)
def test_renew_hold__in_time__lasts_two_minutes_from_then(at_minute, ends_at_minute):
    ann = actor()
    held = hold(room(), hours(11, 12), by=ann)
    renewed = renew(held, by=ann, after=at_minute * MINUTE)
    assert renewed.expires_at == NOW + ends_at_minute * MINUTE


def test_renew_hold__repeatedly__ends_after_six_minutes():
    ann = actor()
    held = hold(room(), hours(11, 12), by=ann)
    ends = [renew(held, by=ann, after=n * MINUTE).expires_at for n in (1, 2, 3, 4, 5)]
    assert [(end - NOW) / MINUTE for end in ends] == [3, 4, 5, 6, 6]
    with pytest.raises(ConflictError) as refused:
        renew(held, by=ann, after=6 * MINUTE)
    assert refused.value.code == "hold_over"
    assert refused.value.facts["state"] == "lapsed"


def test_renew_hold__released_meanwhile__is_refused():
    ann = actor()
    held = hold(room(), hours(11, 12), by=ann)
    release_hold(actor=ann, hold=held.id, clock=FixedClock(NOW))
    with pytest.raises(ConflictError) as refused:
        renew(held, by=ann, after=SECOND)
    assert refused.value.code == "hold_over"


def test_renew_hold__an_offer__is_never_shortened():
    ann, taken = actor(), room()
    booked = book(taken, hours(11, 12))
    wait_for_slot(actor=ann, room=taken.uuid, interval=hours(11, 12), clock=FixedClock(NOW))
    cancel_booking(actor=SYSTEM_ACTOR, booking_id=booked.id, clock=FixedClock(NOW))
    offer = Booking.objects.get(state=BookingState.HELD).as_data()
    assert renew(offer, by=ann, after=MINUTE).expires_at == NOW + 15 * MINUTE


def test_renew_and_release__hold_of_another_person__are_not_found():
    held = hold(room(), hours(11, 12), by=actor())
    with pytest.raises(NotFoundError):
        renew(held, by=actor(), after=SECOND)
    with pytest.raises(NotFoundError):
        release_hold(actor=actor(), hold=held.id, clock=FixedClock(NOW))
    with pytest.raises(NotFoundError):
        release_hold(actor=actor(), hold=uuid4(), clock=FixedClock(NOW))
    assert Booking.objects.get().state == BookingState.HELD


def test_release_hold__twice__writes_one_audit_entry_and_frees_the_slot():
    ann, dogger = actor(), room()
    held = hold(dogger, hours(11, 12), by=ann)
    for _ in range(2):
        done = release_hold(actor=ann, hold=held.id, clock=FixedClock(NOW))
    assert done.state is BookingState.LAPSED
    assert AuditEntry.objects.filter(command="release_hold").count() == 1
    assert book(dogger, hours(11, 12)).state is BookingState.CONFIRMED


def test_release_hold__booked_meanwhile__leaves_the_booking_unchanged():
    ann, dogger = actor(), room()
    held = hold(dogger, hours(11, 12), by=ann)
    booked = book(dogger, hours(11, 12), by=ann)
    release_hold(actor=ann, hold=held.id, clock=FixedClock(NOW))
    stored = Booking.objects.get()
    assert (booked.id, stored.state) == (held.id, BookingState.CONFIRMED)


def test_holds__in_the_list_of_bookings__are_left_out():
    dogger, start = room(), DATABASE_CLOCK.now() + timedelta(days=1)
    tomorrow = Interval(start, start + timedelta(hours=1))
    hold_slot(actor=actor(), room=dogger.uuid, interval=tomorrow)
    assert bookings_during(tomorrow, now=DATABASE_CLOCK.now()).exists()
    assert _listed(tomorrow) == []


def _listed(during: Interval) -> list[object]:
    period = {"starts_at": during.start.isoformat(), "ends_at": during.end.isoformat()}
    answer = Client().get("/api/v1/bookings", period, headers=bearer(person()))
    return answer.json()["items"]


def test_hold_slot__quota_used_up__is_held_and_then_refused_when_booked():
    dogger, ann = room(), actor()
    policy(dogger).quotas.create(period="day", max_count=1)
    book(dogger, hours(14, 15), by=ann)
    assert hold(dogger, hours(11, 12), by=ann).state is BookingState.HELD
    with pytest.raises(MeetingRoomsError) as refused:
        book(dogger, hours(11, 12), by=ann)
    assert refused.value.code == "quota_of_bookings"


def test_hold_slot__room_with_approval__is_held_and_then_requested():
    dogger, ann = room(), actor()
    policy(dogger, approval=Approval.ALWAYS)
    held = hold(dogger, hours(11, 12), by=ann)
    booked = book(dogger, hours(11, 12), by=ann)
    assert (held.state, booked.state) == (BookingState.HELD, BookingState.PENDING)
    assert held.id == booked.id


@pytest.mark.parametrize(
    ("rules", "code"),
    [({"max_minutes": 30}, "too_long"), ({"bookable_by": "managers"}, "not_bookable_by_you")],
    ids=["too_long", "not_by_you"],
)
def test_hold_slot__against_the_rooms_rules__is_refused_like_a_booking(rules, code):
    dogger = room()
    policy(dogger, **rules)
    with pytest.raises(MeetingRoomsError) as refused:
        hold(dogger, hours(11, 12), by=actor())
    assert refused.value.code == code
    assert not Booking.objects.exists()


def test_hold_slot__within_the_gap_of_another_hold__is_refused():
    dogger = room()
    policy(dogger, gap_minutes=30)
    hold(dogger, hours(11, 12), by=actor())
    with pytest.raises(MeetingRoomsError) as refused:
        hold(dogger, Interval(at(12, 15), at(13)), by=actor())
    assert refused.value.code == "gap_too_short"


def test_holds__of_a_hall_and_its_half__exclude_each_other():
    hall, left, right = room("Hall"), room("Left"), room("Right")
    divide(hall, left, right)
    hold(left, hours(11, 12), by=actor())
    with pytest.raises(ConflictError) as refused:
        hold(hall, hours(11, 12), by=actor())
    assert refused.value.code == "slot_held"
    assert hold(right, hours(11, 12), by=actor()).state is BookingState.HELD
