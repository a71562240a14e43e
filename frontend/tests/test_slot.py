"""The state of the slot chosen in the booking form, as the viewer sees it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from booking.commands.hold_slot import hold_slot
from booking.models import Booking
from booking.tests.factories import book
from identity.models import Role, User
from identity.queries import actor_of
from identity.tests.factories import person
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.interval import Interval
from rooms.models import Closure, Room
from rooms.tests.factories import every_day, floor, policy, room

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Europe/Helsinki")


@pytest.fixture
def sam() -> User:
    return person("Sam")


@pytest.fixture
def noon() -> Interval:
    tomorrow = SYSTEM_CLOCK.now().astimezone(ZONE) + timedelta(days=1)
    start = tomorrow.replace(hour=12, minute=0, second=0, microsecond=0)
    return Interval(start, start + timedelta(minutes=30))


def get_slot(user: User, where: Room, slot: Interval, **more: str):
    client = Client()
    client.force_login(user)
    local: datetime = slot.start.astimezone(ZONE)
    fields = {"room": str(where.uuid), "day": f"{local:%Y-%m-%d}", "starts": f"{local:%H:%M}",
              "minutes": "30", **more}  # fmt: skip
    return client.get(f"/book/{where.floor.building.slug}/slot", fields)


def state(answer) -> str:
    return answer.content.decode().partition('data-state="')[2].partition('"')[0]


def test_slot__free__is_open_and_names_its_instants(sam, noon):
    dogger = room()
    answer = get_slot(sam, dogger, noon)
    assert state(answer) == "open"
    assert f'data-room="{dogger.uuid}"' in answer.content.decode()
    start = answer.content.decode().partition('data-start="')[2].partition('"')[0]
    assert datetime.fromisoformat(start) == noon.start
    assert "no-store" in answer["Cache-Control"]


def test_case_022__hold_of_another_person_shows_name_end_and_free_rooms(sam, noon):
    """Another person opens the form on a held slot"""
    level = floor()
    dogger, humber = room("Dogger", on=level), room("Humber", on=level)
    held = hold_slot(actor=actor_of(person("Ann")), room=dogger.uuid, interval=noon)
    answer = get_slot(sam, dogger, noon)
    text = answer.content.decode()
    assert state(answer) == "held"
    assert "Ann" in text
    assert f">{held.expires_at.astimezone(ZONE):%H:%M}</time>" in text
    assert f'data-room="{humber.uuid}"' in text  # free instead


def test_slot__own_hold__is_mine_and_a_part_of_it_is_open(sam, noon):
    dogger = room()
    hold_slot(actor=actor_of(sam), room=dogger.uuid, interval=noon)
    assert state(get_slot(sam, dogger, noon)) == "mine"
    assert state(get_slot(sam, dogger, noon, minutes="15")) == "open"


def test_case_109__slot_taken_meanwhile_is_reported_with_alternatives_and_no_name(sam, noon):
    """The slot is taken while the form is open"""
    dogger = room("Dogger")
    book(dogger, noon, by=actor_of(person("Ann")), clock=SYSTEM_CLOCK, title="Secret", private=True)
    answer = get_slot(sam, dogger, noon)
    text = answer.content.decode()
    assert state(answer) == "taken"
    assert "Free instead" in text
    assert "Ann" not in text
    assert "Secret" not in text


def test_slot__out_of_service__shows_the_reason(sam, noon):
    dogger = room()
    Closure.objects.create(room=dogger, starts_at=noon.start, ends_at=noon.end, reason="<Paint>")
    answer = get_slot(sam, dogger, noon)
    assert state(answer) == "closed"
    assert "&lt;Paint&gt;" in answer.content.decode()


def test_slot__outside_opening_hours__shows_the_opening_hours(sam, noon):
    level = floor()
    dogger, humber = room("Dogger", on=level), room("Humber", on=level)
    policy(dogger, hours=every_day("13:00", "18:00"))
    answer = get_slot(sam, dogger, noon)
    text = answer.content.decode()
    assert state(answer) == "refused"
    assert "Dogger is open from 13:00 to 18:00" in text
    assert f'data-room="{humber.uuid}"' in text  # free instead


def test_slot__violation__binds_staff_and_not_a_room_manager(sam, noon):
    dogger = room("Dogger")
    policy(dogger, min_minutes=60)
    assert state(get_slot(sam, dogger, noon)) == "refused"
    assert state(get_slot(person("Ada", role=Role.ADMIN), dogger, noon)) == "open"


@pytest.mark.parametrize("more", [{"day": ""}, {"room": "x"}, {"starts": "99:99"}], ids=str)
def test_slot__incomplete_form__has_no_state(sam, noon, more):
    answer = get_slot(sam, room(), noon, **more)
    assert (answer.status_code, state(answer)) == (200, "")


def test_slot__anonymous_or_unknown_building__is_refused(sam, noon):
    dogger = room()
    address = f"/book/{dogger.floor.building.slug}/slot"
    assert Client().get(address).status_code == 302
    assert get_slot(sam, dogger, noon).status_code == 200
    client = Client()
    client.force_login(sam)
    assert client.get("/book/nowhere/slot").status_code == 404
    assert client.post(address).status_code == 405
    assert not Booking.objects.exists()
