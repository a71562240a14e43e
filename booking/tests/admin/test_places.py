"""Places in the admin site: each write runs a command, and only the command changes bookings."""

import pytest

from booking.commands.hold_slot import hold_slot
from booking.models import Booking
from booking.tests.factories import at, book
from identity.queries import actor_of
from identity.tests.admin_site import AdminSite, text
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError
from meeting_rooms.kernel.interval import Interval
from rooms.models import Building, Feature, Floor, Room
from rooms.places.remove_place import remove_place
from rooms.tests.factories import building, floor, room

pytestmark = pytest.mark.django_db
CLOCK = FixedClock(at(8).replace(year=2036))  # for bookings; the site has the system clock
FUTURE_HOUR = Interval(at(10).replace(year=2036), at(11).replace(year=2036))  # 12:00 in Helsinki


@pytest.fixture
def site():
    return AdminSite()


@pytest.fixture
def dogger():
    return room("Dogger", on=floor(building(timezone="Europe/Helsinki")))


def room_form(place, **changes):
    fields = {"floor": place.floor_id, "slug": place.slug, "name": place.name, "direction": "",
              "capacity": place.capacity, "is_active": "on"} | changes  # fmt: skip
    return {name: value for name, value in fields.items() if value is not None}


def floors_form(*rows, initial=0):
    sent = {"floors-TOTAL_FORMS": len(rows), "floors-INITIAL_FORMS": initial}
    return sent | {f"floors-{n}-{key}": v for n, row in enumerate(rows) for key, v in row.items()}


def building_form(house, *rows, initial=0, **changes):
    return {"slug": house.slug, "name": house.name, "address": ""} | floors_form(
        *rows, initial=initial
    ) | changes  # fmt: skip


def version_of(place):
    return Room.objects.get(pk=place.pk).schedule_version


def test_building__new_with_floors__is_stored(site):
    floor_row = {"slug": "hq-0", "name": "Ground", "level": 0}
    fields = {"slug": "hq", "name": "HQ", "timezone": "Europe/Oslo"} | floors_form(floor_row)
    site.saved("rooms/building/add/", fields)
    assert Floor.objects.get().building == Building.objects.get(slug="hq", timezone="Europe/Oslo")


def test_building__changed_with_its_floors__marks_its_rooms(site, dogger):
    house, level = dogger.floor.building, dogger.floor
    before = version_of(dogger)
    row = {"id": level.pk, "building": house.pk, "slug": level.slug, "name": "Upstairs", "level": 5}
    fields = building_form(house, row, initial=1, name="Lodge")
    site.saved(f"rooms/building/{house.pk}/change/", fields)
    level.refresh_from_db()
    assert (level.building.name, level.name, level.level) == ("Lodge", "Upstairs", 5)
    assert version_of(dogger) > before


def test_building__time_zone__is_changed_on_a_separate_page(site, dogger):
    house = dogger.floor.building
    page = site.get(f"rooms/building/{house.pk}/change/")
    assert "correct the time zone" in text(page)
    site.saved(f"rooms/building/{house.pk}/change/", building_form(house, timezone="Europe/London"))
    house.refresh_from_db()
    assert house.timezone == "Europe/Helsinki"


@pytest.mark.parametrize("keep,hour", [("local", 12), ("instant", 10)])
def test_zone__corrected__reports_first_and_changes_bookings_as_chosen(site, dogger, keep, hour):
    house, booking = dogger.floor.building, book(dogger, FUTURE_HOUR, clock=CLOCK, title="Review")
    path, wanted = f"rooms/building/{house.pk}/zone/", {"timezone": "Europe/London", "keep": keep}
    report = text(site.post(path, wanted))
    assert "Bookings that will change: 1" in report
    assert "12 Mar 2036, 12:00 Europe/Helsinki" in report
    assert f"12 Mar 2036, {hour}:00 Europe/London" in report
    unchanged = Booking.objects.get(pk=booking.id)
    assert (unchanged.during.lower, unchanged.version) == (FUTURE_HOUR.start, 1)
    version = version_of(dogger)
    other = wanted | {"timezone": "Europe/Oslo", "confirmed": f"{keep} Europe/London"}
    assert "Bookings that will change" in text(site.post(path, other))  # another zone: ask again
    assert Building.objects.get(pk=house.pk).timezone == "Europe/Helsinki"
    messages = site.saved(path, wanted | {"confirmed": f"{keep} Europe/London"})
    assert messages == [f"{house} is in Europe/London; 1 bookings were changed."]
    moved = Booking.objects.get(pk=booking.id)
    assert moved.during.lower.hour == hour
    assert moved.local_start == f"2036-03-12T{hour}:00:00"
    assert version_of(dogger) > version


def test_zone__unknown_or_without_a_choice__is_refused_on_the_page(site, dogger):
    path = f"rooms/building/{dogger.floor.building_id}/zone/"
    assert "not an IANA time zone" in text(site.post(path, {"timezone": "Mars", "keep": "local"}))
    assert "This field is required" in text(site.post(path, {"timezone": "Europe/Oslo"}))
    assert site.get("rooms/building/0/zone/").status_code == 404


def test_floor__changed__stays_in_its_building_and_marks_its_rooms(site, dogger):
    other, before = building(), version_of(dogger)
    level = dogger.floor
    fields = {"building": other.pk, "slug": level.slug, "name": "Up", "level": 1, "direction": ""}
    site.saved(f"rooms/floor/{level.pk}/change/", fields)
    level.refresh_from_db()
    assert (level.name, level.building_id) == ("Up", dogger.floor.building_id)
    assert version_of(dogger) > before


def test_room__changed_after_a_booking__raises_its_version_by_one(site, dogger):
    seat = Feature.objects.create(slug="seat", name="Seat")
    book(dogger, FUTURE_HOUR, clock=CLOCK)
    before = version_of(dogger)
    site.saved(
        f"rooms/room/{dogger.pk}/change/", room_form(dogger, capacity=12, features=[seat.pk])
    )
    dogger.refresh_from_db()
    assert (dogger.capacity, list(dogger.features.all())) == (12, [seat])
    assert dogger.schedule_version == before + 1


def test_room__moved_to_another_building__is_refused(site, dogger):
    elsewhere = floor(building(timezone="Europe/London"))
    fields = room_form(dogger, floor=elsewhere.pk)
    assert "valid choice" in site.refused(f"rooms/room/{dogger.pk}/change/", fields)


def test_room__retired_while_booked__is_refused_and_nothing_changes(site, dogger):
    book(dogger, FUTURE_HOUR, clock=CLOCK)
    path = f"rooms/room/{dogger.pk}/change/"
    page = site.refused(path, room_form(dogger, is_active=None, name="Gone"))
    assert "Bookings of this room that are not over: 1. Close the room first" in page
    dogger.refresh_from_db()
    assert (dogger.name, dogger.is_active) == ("Dogger", True)


def test_room__retired_and_activated_again__releases_holds_and_raises_the_version(site, dogger):
    hold = hold_slot(actor=actor(), room=dogger.uuid, interval=FUTURE_HOUR, clock=CLOCK)
    path, before = f"rooms/room/{dogger.pk}/change/", version_of(dogger)
    site.saved(path, room_form(dogger, is_active=None))
    dogger.refresh_from_db()
    assert not dogger.is_active
    assert Booking.objects.get(pk=hold.id).state == "lapsed"
    retired_at = version_of(dogger)
    assert retired_at > before
    site.saved(path, room_form(dogger))
    dogger.refresh_from_db()
    assert dogger.is_active
    assert version_of(dogger) > retired_at


def test_feature__changed_and_deleted__marks_the_rooms_that_have_it(site, dogger):
    seat = Feature.objects.create(slug="seat", name="Seat")
    dogger.features.add(seat)
    before = version_of(dogger)
    site.saved(f"rooms/feature/{seat.pk}/change/", {"slug": "chair", "name": "Chair"})
    assert version_of(dogger) == before + 1
    site.delete("rooms/feature/", seat)
    assert not Feature.objects.exists()
    assert version_of(dogger) == before + 2


def test_places__in_use__are_not_deleted(site, dogger):
    book(dogger, FUTURE_HOUR, clock=CLOCK)
    places = (f"building/{dogger.floor.building_id}", f"floor/{dogger.floor_id}")
    for path in (*places, f"room/{dogger.pk}"):
        assert "Cannot delete" in text(site.post(f"rooms/{path}/delete/", {"post": "yes"}))
    with pytest.raises(ConflictError) as refused:
        remove_place(actor=actor_of(site.who), place=dogger)
    assert refused.value.code == "place_in_use"
    assert Room.objects.filter(pk=dogger.pk).exists()


def test_room__never_used__is_deleted(site, dogger):
    site.saved(f"rooms/room/{dogger.pk}/delete/", {"post": "yes"})
    assert not Room.objects.exists()
