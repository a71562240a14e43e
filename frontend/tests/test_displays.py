"""The page that shows admins how fresh each display is."""

from dataclasses import replace
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.test import AsyncClient

from frontend.domain.ages import age
from frontend.views import displays as view
from identity.models import Role
from identity.tests.factories import person
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.state.display_freshness import Display
from realtime.state.live_state import Audience
from realtime.store.live_store import LiveStore, shared_store

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}


@pytest.fixture
async def store(settings):
    """A store for this file only: servers of other tests write their displays every 15 s."""
    settings.MONGODB_DATABASE = f"{settings.MONGODB_DATABASE}_displays"
    opened = shared_store()
    yield opened
    await opened._displays.delete_many({})
    await opened.close()


async def client_of(role: Role) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(await database_sync_to_async(person)("Sam", role))
    return client


def display(name: str, **changes) -> Display:
    now = SYSTEM_CLOCK.now()
    made = Display(
        id=name, topic="building:house", audience=Audience.PUBLIC, path="direct",
        since=now - timedelta(hours=3), last_seen=now, p50_ms=50, p95_ms=90, stale_s=0.0,
    )  # fmt: skip
    return replace(made, **changes)


async def text_of(store: LiveStore, *shown: Display, **headers: str) -> str:
    await store.put_displays(shown)
    page = await (await client_of(Role.ADMIN)).get("/displays", headers=headers)
    assert page.status_code == 200
    return page.content.decode()


@pytest.mark.parametrize("seconds,text", [
    (-3, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"),
    (7500, "2 h 5 min"), (86_400, "1 d"), (97_200, "1 d 3 h"),
])  # fmt: skip
def test_age__any_duration__has_at_most_two_units(seconds, text):
    assert age(timedelta(seconds=seconds)) == text


async def test_displays__of_every_kind__are_listed_worst_first(store):
    gone = SYSTEM_CLOCK.now() - timedelta(minutes=7)
    text = await text_of(
        store,
        display("quick-one"),
        display("slow-one", p95_ms=2_400),
        display("stale-one", topic="building:<b>", stale_s=12.0, audience=Audience.STAFF),
        display("silent-one", last_seen=gone),
        display("new-one", p50_ms=None, p95_ms=None),
    )
    found = [text.index(f"{name}-one") for name in ("silent", "stale", "slow", "quick", "new")]
    assert found == sorted(found)
    for phrase in ("Silent for 7 min", "Not live for 12 s", "2400 ms", "(slow)", "no change yet"):
        assert phrase in text
    assert "&lt;b&gt;" in text


BAD = {
    "stale_s": [float("inf"), float("-inf"), float("nan"), -1.0, 1e300, "12", None],
    "p50_ms": [-1, 2**62, 1.5, "4"],
    "p95_ms": [-1, 2**62, float("nan"), "4"],
    "last_seen": ["today", 0],
    "since": [None, "today"],
    "topic": [None, 4],
    "id": [None, 4],
    "audience": ["admin", None, []],
}


async def test_displays__malformed_ones_stored__shows_the_valid_ones(store):
    await store.put_displays([display("good-one")])
    good = await store._displays.find_one({})
    rows = [
        {**good, "_id": f"bad {name} {number}", name: value}
        for name, values in BAD.items()
        for number, value in enumerate(values)
    ]
    missing = [
        {key: value for key, value in good.items() if key != name} | {"_id": f"without {name}"}
        for name in BAD
    ]
    await store._displays.insert_many([*rows, *missing])
    text = await text_of(store, display("good-one"))
    assert text.count("good-one") == 1
    assert "Live" in text


async def test_displays__none__explains_how_to_get_one(store):
    assert "No display has reported yet" in await text_of(store)


async def test_displays__requested_by_htmx__is_only_the_list(store):
    text = await text_of(store, display("d-1"), **HTMX)
    assert "d-1" in text
    assert "<html" not in text


async def test_displays__more_than_fit__shows_how_many_are_left_out(store, monkeypatch):
    monkeypatch.setattr(view, "MAX_SHOWN", 1)
    text = await text_of(store, display("slow-1", p95_ms=800), display("quick-1"))
    assert "slow-1" in text
    assert "quick-1" not in text
    assert "1 more" in text


@pytest.mark.usefixtures("mongodb_away")
async def test_displays__store_down__shows_that_it_does_not_answer(settings):
    settings.MONGODB_URL, settings.STORE_TIMEOUT_S = "mongodb://127.0.0.1:1", 0.2
    page = await (await client_of(Role.ADMIN)).get("/displays")
    assert page.status_code == 200
    assert "does not answer" in page.content.decode()
    await shared_store().close()


async def test_displays__staff_and_anonymous_visitors__have_no_access(store):
    await store.put_displays([display("d-1")])
    assert (await (await client_of(Role.STAFF)).get("/displays")).status_code == 403
    anonymous = await AsyncClient().get("/displays")
    assert (anonymous.status_code, anonymous["Location"]) == (302, "/sign-in?next=/displays")


async def test_displays__session_ended_while_page_is_open__reloads_the_page():
    answer = await AsyncClient().get("/displays", headers=HTMX)
    assert (answer.status_code, answer["HX-Refresh"], answer.content) == (200, "true", b"")
