"""The log of display freshness: kept per process, written to the store, read from all processes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from booking.tests.factories import NOW
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import UnavailableError
from meeting_rooms.tests.stack import PATIENCE_S
from realtime.hub import displays
from realtime.hub.displays import LAGS_KEPT, DisplayLog, shared_displays
from realtime.metrics import REGISTRY
from realtime.state.display_freshness import (
    MAX_LAG_MS,
    Display,
    Freshness,
    percentile,
    worst_first,
)
from realtime.state.live_state import Audience
from realtime.store import mongo_link
from realtime.store.live_store import LiveStore, open_store, shared_store

TOPIC = "building:house"


@pytest.fixture
async def live_store(settings) -> AsyncIterator[LiveStore]:
    """Open a store of this file alone: servers of other tests write their displays every 15 s."""
    settings.MONGODB_DATABASE = f"{settings.MONGODB_DATABASE}_displays"
    opened = open_store()
    await opened.prepare()
    yield opened
    await opened._displays.delete_many({})
    await opened.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def kept(live_store, clock) -> DisplayLog:
    return DisplayLog(live_store, clock)


def connect(log: DisplayLog, connection: str, audience: Audience = Audience.PUBLIC) -> None:
    log.note_connected(connection, audience=audience, path="asgi")


def report(
    log: DisplayLog,
    connection: str,
    *lags_ms: int,
    display: str = "",
    audience: Audience = Audience.PUBLIC,
    **more,
) -> None:
    name = display or f"d-{connection}"
    log.note_seen(
        connection, audience=audience, display=name, lags_ms=lags_ms, topics={TOPIC}, **more
    )


def display(name: str = "d", **changes) -> Display:
    made = Display(
        id=name, topic=TOPIC, audience=Audience.PUBLIC, path="asgi", since=NOW,
        last_seen=NOW, p50_ms=50, p95_ms=90, stale_s=0.0,
    )  # fmt: skip
    return replace(made, **changes)


@pytest.mark.parametrize(
    "values,share,expected",
    [([], 0.5, None), ([7], 0.5, 7), ([7], 0.95, 7), ([4, 1, 3, 2], 0.5, 2),
     (list(range(1, 101)), 0.95, 95), (list(range(1, 101)), 0.5, 50)],
)  # fmt: skip
def test_percentile__nearest_rank(values, share, expected):
    assert percentile(values, share) == expected


def test_freshness__follows_the_last_report_and_its_stale_time():
    assert display().freshness(NOW + timedelta(seconds=40)) is Freshness.LIVE
    assert display().freshness(NOW + timedelta(seconds=41)) is Freshness.SILENT
    assert display(stale_s=3.0).freshness(NOW) is Freshness.STALE


def test_worst_first__silent_then_stale_then_slow():
    now = NOW + timedelta(minutes=5)
    fresh = {"last_seen": now}
    order = [
        display("just-gone", last_seen=now - timedelta(minutes=1)),
        display("long-gone"),
        display("stale", stale_s=4.0, **fresh),
        display("slow", p95_ms=900, **fresh),
        display("quick", p95_ms=40, **fresh),
        display("new", p50_ms=None, p95_ms=None, **fresh),
    ]
    assert worst_first(order[::-1], now) == order


async def test_flush__reports_of_two_processes__are_read_together(kept, live_store, clock):
    other = DisplayLog(live_store, clock)
    connect(kept, "a")
    connect(other, "b")
    report(kept, "a", 40, 60, 400)
    report(other, "b", stale_s=2.5)
    await kept.flush()
    await other.flush()
    a, b = sorted(await live_store.displays(limit=9), key=lambda d: d.id)
    assert a == display("d-a", p50_ms=60, p95_ms=400)
    assert (b.p50_ms, b.stale_s) == (None, 2.5)


async def test_flush__connection_without_a_report__is_not_stored(kept, live_store):
    connect(kept, "a")
    await kept.flush()
    kept.note_closed("a")
    await kept.flush()
    assert await live_store.displays(limit=9) == []


async def test_flush__connection_closed_before__stores_the_last_report(kept, live_store):
    connect(kept, "a")
    report(kept, "a", 40)
    kept.note_closed("a")
    await kept.flush()
    assert [d.id for d in await live_store.displays(limit=9)] == ["d-a"]


async def test_flush__display_moved_to_another_process__is_not_overwritten_by_the_first(
    kept, live_store, clock
):
    connect(kept, "a")
    report(kept, "a", 40, display="one")
    kept.note_closed("a")
    clock.advance(timedelta(seconds=5))
    other = DisplayLog(live_store, clock)
    connect(other, "b")
    report(other, "b", 70, display="one")
    await other.flush()
    await kept.flush()
    (stored,) = await live_store.displays(limit=9)
    assert (stored.p50_ms, stored.since) == (70, clock.now())


@pytest.mark.usefixtures("mongodb_away")
async def test_flush__store_away__keeps_the_report_for_the_next(live_store, clock, settings):
    settings.MONGODB_URL, settings.STORE_TIMEOUT_S = "mongodb://127.0.0.1:1", 0.2
    away = open_store()
    kept = DisplayLog(away, clock)
    for connection in "ab":
        connect(kept, connection)
        report(kept, connection, 40)
    kept.note_closed("b")
    with pytest.raises(UnavailableError):
        await kept.flush()
    await away.close()
    settings.STORE_TIMEOUT_S = 2.0
    kept._store = live_store
    await kept.flush()
    assert {d.id for d in await live_store.displays(limit=9)} == {"d-a", "d-b"}


@pytest.mark.usefixtures("mongodb_away")
async def test_flush__store_away_for_long__keeps_a_bounded_number(clock, settings, monkeypatch):
    monkeypatch.setattr(displays, "MAX_CONNECTIONS", 2)
    settings.MONGODB_URL, settings.STORE_TIMEOUT_S = "mongodb://127.0.0.1:1", 0.1
    away = open_store()
    kept = DisplayLog(away, clock)
    for connection in "abcd":
        connect(kept, connection)
        report(kept, connection, 40)
        kept.note_closed(connection)
        with pytest.raises(UnavailableError):
            await kept.flush()
    await away.close()
    assert [d.id for d in kept._left.values()] == ["d-c", "d-d"]


async def test_run__with_reports_and_a_store__writes_the_reports(monkeypatch):
    monkeypatch.setattr(displays, "FLUSH_S", 0.01)
    log, store = shared_displays(), shared_store()
    assert log is shared_displays()
    running = asyncio.ensure_future(log.run())
    connect(log, "a")
    report(log, "a", 40)
    async with asyncio.timeout(PATIENCE_S):
        while not await store.displays(limit=1):
            await asyncio.sleep(0.01)
    running.cancel()
    await store._displays.delete_many({})
    await store.close()


async def test_report__second_name_on_one_connection__is_ignored(kept, live_store):
    connect(kept, "a")
    report(kept, "a", display="first")
    report(kept, "a", display="second")
    await kept.flush()
    assert [d.id for d in await live_store.displays(limit=9)] == ["first"]


async def test_report__hostile_values__are_bounded_and_kept_as_text(kept, live_store):
    connect(kept, "a")
    report(kept, "a", -5, 10**12, *range(300), display="$$ROOT")
    await kept.flush()
    (stored,) = await live_store.displays(limit=9)
    assert stored.id == "$$ROOT"
    assert len(kept._connections["a"].lags_ms) == LAGS_KEPT
    connect(kept, "b")
    report(kept, "b", -5, 10**12)
    assert list(kept._connections["b"].lags_ms) == [0, MAX_LAG_MS]


def test_connected__more_than_the_maximum__are_only_counted(kept, monkeypatch):
    monkeypatch.setattr(displays, "MAX_CONNECTIONS", 2)
    name = "meeting_rooms_displays_unlogged_total"
    before = REGISTRY.get_sample_value(name)
    for connection in "abc":
        connect(kept, connection)
        report(kept, connection, 1)
        kept.note_closed(connection)
        kept.note_closed(connection)
    connect(kept, "d")
    connect(kept, "e")
    connect(kept, "f")
    assert REGISTRY.get_sample_value(name) == before + 1


async def test_store__full__updates_known_displays_and_adds_none(live_store, monkeypatch):
    await live_store.put_displays([display("known")])
    monkeypatch.setattr(mongo_link, "MAX_DISPLAYS", 1)
    later = NOW + timedelta(seconds=15)
    await live_store.put_displays([display("known", last_seen=later), display("another")])
    assert await live_store.displays(limit=9) == [display("known", last_seen=later)]


async def test_store__row_of_another_release__is_not_returned(live_store):
    await live_store.put_displays([display("new")])
    await live_store._displays.insert_one({"_id": "old", "last_seen": NOW})
    assert await live_store.displays(limit=9) == [display("new")]


class RecordingStore(LiveStore):
    """A store that records the number of displays of each write, and the event loop's turn."""

    turn = 0

    async def put_displays(self, displays: Sequence[Display]) -> None:
        self.writes.append((len(displays), self.turn))
        await super().put_displays(displays)

    async def count_turns(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.turn += 1


async def test_flush__maximum_number_of_displays__does_not_block_the_event_loop(kept, live_store):
    """Between two turns of the event loop the log sorts no more lags than those of one batch."""
    for n in range(displays.MAX_CONNECTIONS):
        connect(kept, f"c-{n}")
        report(kept, f"c-{n}", *range(LAGS_KEPT))
    live_store.__class__, live_store.writes = RecordingStore, []
    counting = asyncio.ensure_future(live_store.count_turns())
    await kept.flush()
    counting.cancel()
    sizes, turns = zip(*(write for write in live_store.writes if write[0]), strict=True)
    assert sum(sizes) == len(await live_store.displays(limit=20_000)) == displays.MAX_CONNECTIONS
    assert max(sizes) <= mongo_link.DISPLAYS_AT_ONCE
    assert len(set(turns)) == len(turns), "others had a turn between any two"


async def test_prepare__displays__expire_after_a_day(live_store):
    indexes = await live_store._displays.index_information()
    assert [i["expireAfterSeconds"] for i in indexes.values() if "expireAfterSeconds" in i] == [
        86_400
    ]
