"""A device at a door reads only those details that a public board of its building shows."""

from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import NumericRange

from booking.models import Booking
from booking.tests.api_calls import Caller, device, future, slot
from identity.models import Role
from identity.tests.factories import person
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from rooms.models import Building, Room
from rooms.queries import rooms_showing_titles
from rooms.tests.factories import building, floor, room

pytestmark = pytest.mark.django_db
CANARY = "Redundancies"


@pytest.fixture
def house() -> Building:
    return building()


@pytest.fixture
def den(house) -> Room:
    return room("Den", on=floor(house))


@pytest.fixture
def ann() -> Caller:
    return Caller(person("Ann"))


@pytest.fixture
def door(den) -> Caller:
    return device(person("Ada", role=Role.ADMIN), den)


def hide(house: Building) -> None:
    """Hide titles on the screens of the building, even if its board is public."""
    Building.objects.filter(pk=house.pk).update(shows_titles=False)


def soon(ann: Caller, den: Room) -> str:
    """Book a meeting that can be checked in to; return its id."""
    start = SYSTEM_CLOCK.now() + timedelta(minutes=5)
    when = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    return ann.book(when, den, title=CANARY, attendees=3)["id"]


@pytest.mark.parametrize("is_shown", [True, False])
def test_booking__read_by_a_device__has_its_title_if_the_building_shows_titles(
    house, den, ann, door, is_shown
):
    booked = ann.book(slot(0), den, title=CANARY, attendees=3)["id"]
    if not is_shown:
        hide(house)
    answer = door.get(f"/bookings/{booked}").json()
    assert answer["title"] == (CANARY if is_shown else "Busy")
    assert (answer["organizer"], answer["attendees"]) == ("", None)


@pytest.mark.parametrize("is_shown", [True, False])
def test_day__read_by_a_device__has_titles_if_the_building_shows_them(
    house, den, ann, door, is_shown
):
    ann.book(slot(0), den, title=CANARY, attendees=3)
    ann.book(slot(2), den, title="Secret", private=True)
    if not is_shown:
        hide(house)
    raw = door.get(f"/days/{future(0).date()}")
    titles = [one["title"] for one in raw.json()["rooms"][0]["bookings"]]
    assert titles == [CANARY if is_shown else "Busy", "Busy"]
    assert "Ann" not in raw.content.decode()


@pytest.mark.parametrize("is_shown", [True, False])
def test_check_in__by_a_device__shows_the_title_as_the_board_does(house, den, ann, door, is_shown):
    booked = soon(ann, den)
    if not is_shown:
        hide(house)
    answer = door.post(f"/bookings/{booked}/check-in").json()
    assert (answer["state"], answer["organizer"]) == ("checked_in", "")
    assert answer["title"] == (CANARY if is_shown else "Busy")


def test_walk_up__begun_and_ended__shows_the_title_as_the_board_does(house, den, door):
    shown = door.post("/devices/me/walk-up", {"minutes": 15}).json()
    assert (shown["title"], shown["organizer"]) == ("Walk-up", "Door of Den")
    # A room manager may give a walk-up another title.
    Booking.objects.filter(pk=shown["id"]).update(title=CANARY)
    hide(house)
    assert door.get(f"/bookings/{shown['id']}").json()["title"] == "Busy"
    assert CANARY not in door.post(f"/bookings/{shown['id']}/end").content.decode()


def test_walk_up__over_a_booking__is_refused_without_its_title(house, den, ann, door):
    soon(ann, den)
    hide(house)
    refused = door.refused("post", "/devices/me/walk-up", {"minutes": 30})
    assert CANARY not in str(refused)
    assert "Ann" not in str(refused)


@pytest.mark.parametrize("state", ["pending", "held"])
def test_undecided_booking__read_by_a_device__shows_no_title(den, ann, door, state):
    booked = ann.book(slot(0), den, title=CANARY)["id"]
    Booking.objects.filter(pk=booked).update(state=state)
    assert CANARY not in door.get(f"/bookings/{booked}").content.decode()
    assert CANARY not in door.get(f"/days/{future(0).date()}").content.decode()


def test_rooms_showing_titles__hall_or_part__are_the_hall_and_all_its_parts(house):
    level = floor(house)
    hall = room("Hall", on=level)
    Room.objects.filter(pk=hall.pk).update(units=NumericRange(0, 2))
    left, right = room("Left", on=level), room("Right", on=level)
    for number, part in enumerate((left, right)):
        units = NumericRange(number, number + 1)
        Room.objects.filter(pk=part.pk).update(units=units, division=hall)
    room("Other", on=level)
    everything = {hall.uuid, left.uuid, right.uuid}
    assert rooms_showing_titles([hall.uuid]) == everything
    assert rooms_showing_titles([left.uuid]) == everything
    hide(house)
    assert rooms_showing_titles([hall.uuid]) == frozenset()


def test_day__rooms_of_several_buildings__follow_their_own_building(house, den, ann):
    other = room("Loft")
    board = device(person("Bo", role=Role.ADMIN), den, other)
    ann.book(slot(0), den, title=CANARY)
    ann.book(slot(0), other, title=CANARY)
    hide(house)
    days = board.get(f"/days/{future(0).date()}").json()["rooms"]
    assert {one["name"]: one["bookings"][0]["title"] for one in days} == {
        "Den": "Busy",
        "Loft": CANARY,
    }
