"""Closures in the admin site: local times of the room, and the bookings that a closure affects."""

from datetime import UTC, datetime, timedelta

import pytest

from booking.models import AuditEntry, Booking
from booking.tests.factories import book, hours
from identity.tests.admin_site import AdminSite, text
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.models import Closure
from rooms.tests.factories import building, floor, room

pytestmark = pytest.mark.django_db
ADD = "rooms/closure/add/"
DAY = "2036-03-12"  # a future day on which Helsinki is two hours ahead of UTC


@pytest.fixture
def site():
    return AdminSite()


@pytest.fixture
def dogger():
    return room("Dogger", on=floor(building(timezone="Europe/Helsinki")))


def form(place, starts="08:00", ends="12:00", **more):
    return {"room": place.pk, "starts": f"{DAY}T{starts}", "ends": ends and f"{DAY}T{ends}",
            "reason": "Paint", "others": "", **more}  # fmt: skip


def instant(hour):
    return datetime(2036, 3, 12, hour, tzinfo=UTC)


def booked(place, start, end):
    return book(place, Interval(instant(start), instant(end)), clock=FixedClock(instant(0)))


def states():
    return {booking.pk: booking.state for booking in Booking.objects.all()}


def test_closure_form__second_step__names_the_rooms_zone_beside_its_times(site, dogger):
    first = site.get(ADD)
    assert "Dogger (Europe/Helsinki)" in text(first)
    assert "starts" not in first.context["adminform"].form.fields
    chosen = site.post(ADD, {"room": dogger.pk})
    assert (chosen.status_code, chosen["Location"]) == (302, f"/admin/{ADD}?room={dogger.pk}")
    second = site.get(f"{ADD}?room={dogger.pk}")
    labels = [field.label for field in second.context["adminform"].form]
    assert {"Starts (Europe/Helsinki)", "Ends (Europe/Helsinki)"} <= set(labels)
    rooms = second.context["adminform"].form.fields["room"].queryset
    assert list(rooms) == [dogger]  # another room may be in another zone


def test_closure__local_times__are_in_the_rooms_zone_and_the_message_names_it(site, dogger):
    version = dogger.schedule_version
    messages = site.saved(ADD, form(dogger))
    [closure] = Closure.objects.all()
    assert (closure.starts_at, closure.ends_at) == (instant(6), instant(10))
    assert (
        "Dogger is closed from 12 Mar 2036, 08:00 Europe/Helsinki until "
        "12 Mar 2036, 12:00 Europe/Helsinki." in messages
    )
    dogger.refresh_from_db()
    assert dogger.schedule_version > version


def test_closure__over_bookings__asks_for_an_action_and_closes_nothing(site, dogger):
    for hour in (6, 7, 8):
        booked(dogger, hour, hour + 1)
    before = states()
    page = site.refused(f"{ADD}?room={dogger.pk}", form(dogger))
    assert "Bookings that overlap the closure: 3." in page
    assert "12 Mar 2036, 08:00 Europe/Helsinki to 12 Mar 2036, 09:00 Europe/Helsinki" in page
    assert "What to do with bookings in the way" in page
    assert not Closure.objects.exists()
    assert states() == before


@pytest.mark.parametrize("fate,state", [("keep", "confirmed"), ("cancel", "cancelled")])
def test_closure__over_bookings_with_an_action__applies_and_logs_it(site, dogger, fate, state):
    inside, outside = booked(dogger, 6, 7), booked(dogger, 11, 12)
    site.saved(ADD, form(dogger, others=fate))
    assert Closure.objects.count() == 1
    assert states() == {inside.id: state, outside.id: "confirmed"}
    logged = AuditEntry.objects.filter(booking_id=inside.id, command="close_room")
    assert [entry.actor_name for entry in logged] == ([] if fate == "keep" else ["Ada"])


@pytest.mark.parametrize(
    "fields,reason",
    [
        ({"ends": f"{DAY}T07:00"}, "end"),
        ({"reason": " "}, "required"),
        ({"starts": "soon"}, "as in 2026-03-02T09:00"),
        ({"starts": "1024-01-01T00:00"}, "outside the years"),
    ],
)
def test_closure__invalid_field__is_refused_in_the_form(site, dogger, fields, reason):
    assert reason in site.refused(ADD, form(dogger) | fields)
    assert not Closure.objects.exists()


def test_closure__without_an_end__is_until_further_notice(site, dogger):
    assert "further notice" in " ".join(site.saved(ADD, form(dogger, ends="")))
    assert Closure.objects.get().ends_at is None


def test_closure__on_the_night_when_clocks_go_back__closes_both_hours(site, dogger):
    night = {"starts": "2036-10-26T03:15", "ends": "2036-10-26T03:45"}
    site.saved(ADD, form(dogger) | night)
    closure = Closure.objects.get()
    assert (closure.ends_at - closure.starts_at).total_seconds() == 90 * 60


def test_closure__stored__is_shown_in_its_zone_and_cannot_be_changed_or_deleted(site, dogger):
    closure = dogger.closures.create(starts_at=instant(6), ends_at=instant(10), reason="Paint")
    path = f"rooms/closure/{closure.pk}"
    for page in (text(site.get("rooms/closure/")), text(site.get(f"{path}/change/"))):
        assert "12 Mar 2036, 08:00 Europe/Helsinki" in page
        assert "A closure cannot be changed" in page
    assert site.post(f"{path}/change/", {"reason": "Carpet"}).status_code == 403
    assert site.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    actions = site.get("rooms/closure/").context["action_form"].fields["action"].choices
    assert "delete_selected" not in dict(actions)
    closure.refresh_from_db()
    assert closure.reason == "Paint"


def test_closure__reopened_from_the_list__ends_now_and_raises_the_version(site, dogger):
    an_hour_ago = SYSTEM_CLOCK.now() - timedelta(hours=1)
    begun = dogger.closures.create(starts_at=an_hour_ago, ends_at=None, reason="Paint")
    upcoming = dogger.closures.create(starts_at=instant(6), ends_at=None, reason="Carpet")
    version = dogger.schedule_version
    site.act("rooms/closure/", "reopen", begun, upcoming)
    assert list(Closure.objects.all()) == [begun]
    begun.refresh_from_db()
    assert begun.ends_at is not None
    dogger.refresh_from_db()
    assert dogger.schedule_version > version


def test_bookings__in_the_admin_site__show_their_zone_and_cannot_be_written(site, dogger):
    booking = book(dogger, hours(11, 12))
    path = f"booking/booking/{booking.id}"
    for page in (text(site.get("booking/booking/")), text(site.get(f"{path}/change/"))):
        assert "12 Mar 2026, 13:00 Europe/Helsinki" in page
        assert "REST API" in page
    for write in ("booking/booking/add/", f"{path}/change/", f"{path}/delete/"):
        assert site.post(write, {"post": "yes"}).status_code == 403
    assert site.get("booking/auditentry/").status_code == 200
