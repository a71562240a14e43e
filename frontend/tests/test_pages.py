"""Pages for signed-in and anonymous visitors: content, access, and answers to forms."""

import re
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.test import Client

from booking.models import Booking
from booking.tests.factories import book
from identity.tests.factories import person
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.interval import Interval
from realtime.layer.publisher import Publisher
from realtime.store.live_store import shared_store
from realtime.worker.projector import Projector
from rooms.tests.factories import building, floor, room

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(person("Sam Staff"))
    return client


def form_of(room, hour: str = "12:00", **more: str) -> dict[str, str]:
    day = SYSTEM_CLOCK.now().date() + timedelta(days=1)
    return {"room": str(room.uuid), "day": day.isoformat(), "starts": hour, "minutes": "30",
            "title": "Retro", "key": "k1", **more}  # fmt: skip


async def test_board__public_building__is_open_to_everyone(async_client):
    dogger = await database_sync_to_async(room)("Dogger")
    store = shared_store()
    await Projector(store, Publisher(get_channel_layer()), SYSTEM_CLOCK).project(dogger.uuid)
    page = await async_client.get(f"/board/{dogger.floor.building.slug}")
    await store.remove([dogger.uuid])
    await store.close()
    assert page.status_code == 200
    assert 'data-live="connecting"' in page.content.decode()
    assert f'id="room-{dogger.uuid}"' in page.content.decode()


def test_board__private_building__redirects_to_sign_in(client):
    house = building(public=False)
    page = client.get(f"/board/{house.slug}")
    assert (page.status_code, page["Location"]) == (302, f"/sign-in?next=/board/{house.slug}")


def test_board__unknown_building__is_404_for_staff_and_redirects_others(client, staff):
    assert staff.get("/board/nowhere").status_code == 404
    assert client.get("/board/nowhere").status_code == 302


def test_home__anonymous__lists_public_buildings_only(client, staff):
    hidden = building(public=False)
    building(public=True)
    assert hidden.name not in client.get("/").content.decode()
    assert hidden.name in staff.get("/").content.decode()


def test_sign_in__wrong_then_right_password__shows_the_error_then_redirects(client):
    user = person()
    user.set_password("a-long-password-1")
    user.save()
    wrong = client.post("/sign-in", {"username": user.email, "password": "no"})
    assert "Wrong e-mail address or password." in wrong.content.decode()
    right = {"username": user.email, "password": "a-long-password-1", "next": "//evil.example"}
    assert client.post("/sign-in", right)["Location"] == "/"


def test_book__free_slot__is_booked_in_local_time(staff):
    dogger = room()
    page = staff.post(f"/book/{dogger.floor.building.slug}", form_of(dogger), headers=HTMX)
    start = Booking.objects.get().interval.start
    assert (page.status_code, start.hour) == (200, 10)  # noon in Helsinki, in winter
    assert "12:00 to 12:30" in page.content.decode()


def test_book__sent_twice__is_one_booking(staff):
    dogger = room()
    for _ in range(2):
        answer = staff.post(f"/book/{dogger.floor.building.slug}", form_of(dogger), headers=HTMX)
        assert answer.status_code == 200
    assert Booking.objects.count() == 1


def test_book__taken_slot__keeps_the_input_and_offers_other_rooms(staff):
    dogger = room("Dogger")
    fisher = room("Fisher", on=dogger.floor)
    day = SYSTEM_CLOCK.now().replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=1)
    book(dogger, Interval(day, day + timedelta(hours=1)), clock=SYSTEM_CLOCK)
    page = staff.post(f"/book/{dogger.floor.building.slug}", form_of(dogger), headers=HTMX)
    text = page.content.decode()
    assert page.status_code == 409
    assert 'value="Retro"' in text
    assert f"room={fisher.uuid}" in text


def test_book__invalid_input__is_422_and_names_the_field(staff):
    dogger = room()
    url = f"/book/{dogger.floor.building.slug}"
    page = staff.post(url, form_of(dogger, hour="noon"), headers=HTMX)
    assert page.status_code == 422
    assert "Starts" in page.content.decode()
    foreign = room(on=floor(building()))
    assert staff.post(url, form_of(foreign), headers=HTMX).status_code == 422


def test_book__anonymous__redirects_to_sign_in(client):
    assert client.get(f"/book/{room().floor.building.slug}").status_code == 302


def test_token__created_on_the_page__is_shown_once(staff):
    page = staff.post("/account/tokens", {"name": "<b>bot</b>"}).content.decode()
    assert "mr_" in page
    assert "&lt;b&gt;bot" in page
    again = staff.get("/account/tokens").content.decode()
    assert "shown only once" not in again
    assert staff.post("/account/tokens", {"name": " "}).status_code == 422


def test_pages__titles_headers_and_admin__have_the_same_product_name(client, staff):
    house = room().floor.building
    signed_out = ["/", "/sign-in"]
    signed_in = ["/", "/account/tokens", f"/book/{house.slug}"]
    for visitor, paths in ((client, signed_out), (staff, signed_in)):
        for path in paths:
            page = visitor.get(path).content.decode()
            assert re.search(r"<title>\S.* · Meeting Rooms</title>", page), path
            assert re.search(r'<p class="mark">.*</svg>\s*Meeting Rooms</a>', page), path
    admin = client.get("/admin/login/").content.decode()
    assert "Meeting Rooms</title>" in admin
    assert '<a href="/admin/">Meeting Rooms</a>' in admin
