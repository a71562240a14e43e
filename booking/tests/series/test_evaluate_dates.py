"""Edits of a series: the dates that change, and the dates that stay unchanged."""

from datetime import datetime, time, timedelta
from uuid import UUID

import pytest

from booking.api.series_shapes import series_for
from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.commands.restore_booking import restore_booking
from booking.domain.booking_data import BookingData
from booking.models import Booking
from booking.series.book_series import BookSeries, book_series
from booking.series.cancel_series import cancel_series
from booking.series.edit_series import SeriesEdit, edit_series
from booking.tests.factories import NOW, at, hours
from booking.transaction.step_hooks import Step, hooked
from identity.tests.factories import actor
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import NotFoundError
from rooms.domain.effective_policy import QuotaPeriod
from rooms.models import Room
from rooms.tests.factories import policy, room

pytestmark = pytest.mark.django_db
THEN = FixedClock(NOW)
FIRST = datetime(2026, 3, 13, 12)


def daily(
    who: Actor, in_room: Room, count: int = 3, elsewhere: dict[str, UUID] | None = None
) -> list[BookingData]:
    wanted = BookSeries(
        in_room.uuid, FIRST, 60, f"FREQ=DAILY;COUNT={count}", "Retro", elsewhere=elsewhere or {}
    )
    return list(book_series(actor=who, wanted=wanted, clock=THEN).booked)


def change(who: Actor, date: BookingData, **edit: object) -> None:
    edit_series(actor=who, series_id=date.series_id, edit=SeriesEdit(**edit), clock=THEN)


def stored_details() -> list[tuple[str, bool, int | None]]:
    found = Booking.objects.order_by("during")
    return list(found.values_list("title", "is_private", "attendees"))


@pytest.mark.parametrize("later", [{"starts": time(15)}, {"attendees": 4}])
def test_edit__of_another_field__keeps_title_and_privacy_of_following_dates(later):
    ann = actor("Ann")
    _, second, _ = dates = daily(ann, room())
    named = datetime.fromisoformat(second.recurrence_id)
    change(ann, second, from_date=named, title="Layoffs", private=True)
    edit = BookingEdit(title="Kick-off")
    edit_booking(actor=ann, booking_id=dates[0].id, edit=edit, clock=THEN)
    change(ann, second, **later)
    seats = later.get("attendees")
    assert stored_details() == [
        ("Kick-off", False, seats), ("Layoffs", True, seats), ("Layoffs", True, seats)
    ]  # fmt: skip


def test_edit__making_all_dates_private__hides_the_series():
    ann, bob = actor("Ann"), actor("Bob")
    first, *_ = daily(ann, room())
    change(ann, first, title="Layoffs")
    named = datetime.fromisoformat(first.recurrence_id)
    change(ann, first, from_date=named, private=True)
    with pytest.raises(NotFoundError):
        series_for(first.series_id, bob)
    assert series_for(first.series_id, ann).title == "Layoffs"


def test_cancel__of_a_series_with_a_past_date_in_a_retired_room__frees_the_rest():
    ann, dogger, retired = actor("Ann"), room(), room()
    first, *_ = daily(ann, dogger, elsewhere={FIRST.isoformat(): retired.uuid})
    Room.objects.filter(pk=retired.pk).update(is_active=False)
    clock = FixedClock(at(12, day=13) + timedelta(hours=12))
    report = cancel_series(actor=ann, series_id=first.series_id, clock=clock)
    assert len(report.cancelled) == 2


def test_edit__of_a_series_with_a_date_in_a_retired_room__changes_the_other_dates():
    ann, dogger, retired = actor("Ann"), room(), room()
    second = (FIRST + timedelta(days=1)).isoformat()
    dates = daily(ann, dogger, elsewhere={second: retired.uuid})
    Room.objects.filter(pk=retired.pk).update(is_active=False)
    change(ann, dates[0], title="Review")
    assert [title for title, _, _ in stored_details()] == ["Review", "Retro", "Review"]


def test_booking_of_two_rooms__one_of_them_retired__continues_in_the_other():
    ann, dogger, retired = actor("Ann"), room(), room()
    wanted = BookRooms((dogger.uuid, retired.uuid), hours(11, 12))
    first, _ = book_rooms(actor=ann, wanted=wanted, clock=THEN)
    Room.objects.filter(pk=retired.pk).update(is_active=False)
    assert check_in(actor=ann, booking_id=first.id, clock=FixedClock(at(11))).state == "checked_in"
    cancel_booking(actor=ann, booking_id=first.id, clock=FixedClock(at(11)))
    assert Booking.objects.get(pk=first.id).state == "cancelled"


def test_edit__of_a_long_series_over_many_rooms__reads_each_quota_for_its_own_dates():
    ann, dogger = actor("Ann"), room()
    others = [room() for _ in range(6)]
    for place in (dogger, *others):
        policy(place).quotas.create(period=QuotaPeriod.DAY, max_count=5)
    elsewhere = {
        (FIRST + timedelta(days=n)).isoformat(): others[n].uuid for n in range(len(others))
    }
    first, *_ = daily(ann, dogger, 60, elsewhere)
    usage_counts = []
    with hooked(Step.SNAPSHOT_READ, lambda snapshot: usage_counts.append(len(snapshot.usage))):
        change(ann, first, starts=time(13))
    assert usage_counts == [0, 60]  # the first snapshot gives only the instant and the versions


def test_edit__of_times_with_a_date_in_a_retired_room__does_not_book_that_date_twice():
    ann, dogger, retired = actor("Ann"), room(), room()
    second = (FIRST + timedelta(days=1)).isoformat()
    dates = daily(ann, dogger, elsewhere={second: retired.uuid})
    Room.objects.filter(pk=retired.pk).update(is_active=False)
    change(ann, dates[0], minutes=90)
    lengths = [
        booking.as_data().interval.duration for booking in Booking.objects.order_by("during")
    ]
    assert lengths == [timedelta(minutes=90), timedelta(hours=1), timedelta(minutes=90)]


@pytest.mark.parametrize("edit", [{"minutes": 90}, {"title": "New", "private": True}])
def test_edit__while_a_date_moves_to_another_room__changes_it_there(edit):
    ann, third = actor("Ann"), room()
    dates = daily(ann, room())
    done = []

    def move_a_date(_snapshot):
        if not done:
            done.append(dates[1])
            moving = BookingEdit(room=third.uuid)
            edit_booking(actor=ann, booking_id=dates[1].id, edit=moving, clock=THEN)

    with hooked(Step.ROOMS_CHOSEN, move_a_date):
        change(ann, dates[0], **edit)
    found = [booking.as_data() for booking in Booking.objects.select_related("room")]
    assert len(found) == 3
    assert len({(one.interval.duration, one.title, one.private) for one in found}) == 1


@pytest.mark.parametrize("command", [
    lambda who, date: change(who, date, minutes=90),
    lambda who, date: change(who, date, title="New"),
    lambda who, date: cancel_series(actor=who, series_id=date.series_id, clock=THEN),
], ids=["times", "title", "cancel"])  # fmt: skip
def test_command__while_its_series_moves_to_another_room__changes_it_there(command):
    ann, third = actor("Ann"), room()
    dates = daily(ann, room())
    done = []

    def move_the_series(_snapshot):
        if not done:
            done.append(dates[0])
            change(ann, dates[0], room=third.uuid)

    with hooked(Step.ROOMS_CHOSEN, move_the_series):
        command(ann, dates[0])
    found = [booking.as_data() for booking in Booking.objects.select_related("room")]
    assert {one.room for one in found} == {third.uuid}
    assert {one.version for one in found} == {3}


def test_cancel__while_a_date_moves_to_another_room__raises_the_version_there():
    ann, third = actor("Ann"), room()
    dates = daily(ann, room())
    versions = []

    def move_a_date(_snapshot):
        if not versions:
            versions.append(third.schedule_version)
            moving = BookingEdit(room=third.uuid)
            edit_booking(actor=ann, booking_id=dates[1].id, edit=moving, clock=THEN)
            versions.append(Room.objects.get(pk=third.pk).schedule_version)

    with hooked(Step.ROOMS_CHOSEN, move_a_date):
        cancel_series(actor=ann, series_id=dates[0].series_id, clock=THEN)
    versions.append(Room.objects.get(pk=third.pk).schedule_version)
    assert versions == sorted(set(versions))


def test_restore__of_a_date_after_its_series_was_split__joins_the_new_series():
    ann = actor("Ann")
    dates = daily(ann, room(), 4)
    cancel_booking(actor=ann, booking_id=dates[2].id, clock=THEN)
    named = datetime.fromisoformat(dates[1].recurrence_id)
    change(ann, dates[0], from_date=named, starts=time(15))
    restore_booking(actor=ann, booking_id=dates[2].id, clock=THEN)
    new = Booking.objects.get(pk=dates[1].id).series_id
    cancel_series(actor=ann, series_id=new, clock=THEN)
    assert Booking.objects.get(pk=dates[2].id).state == "cancelled"


def test_restore__of_a_date_after_its_series_became_private__is_private():
    ann = actor("Ann")
    dates = daily(ann, room())
    cancel_booking(actor=ann, booking_id=dates[1].id, clock=THEN)
    change(ann, dates[0], title="Layoffs", private=True)
    restore_booking(actor=ann, booking_id=dates[1].id, clock=THEN)
    assert Booking.objects.get(pk=dates[1].id).is_private


def test_edit__making_the_last_date_public__shows_no_title_of_private_dates():
    ann, bob = actor("Ann"), actor("Bob")
    dates = daily(ann, room())
    change(ann, dates[0], title="Layoffs", private=True)
    lunch = BookingEdit(title="Lunch")
    edit_booking(actor=ann, booking_id=dates[2].id, edit=lunch, clock=THEN)
    named = datetime.fromisoformat(dates[2].recurrence_id)
    change(ann, dates[0], from_date=named, private=False)
    assert series_for(dates[0].series_id, bob).title == "Lunch"
