"""The `seen` frames, in which a board reports its lags and its stale time to the server."""

import re

import pytest

from frontend.tests.browser.server import row

pytestmark = pytest.mark.asyncio(loop_scope="session")

FRAME_MS = 16  # between two paints


async def pass_two_paints(screen) -> None:
    """Advance the clock past the two paints after a write."""
    await screen.advance(3 * FRAME_MS)


async def test_seen__room_frame__reports_the_lag_of_its_paint(screen) -> None:
    connection = await screen.become_live()
    changed_at = screen.instant()
    await screen.advance(700)
    await screen.room(connection, screen.server.change(0, changed_at=changed_at))
    await connection.processed()
    await pass_two_paints(screen)
    await screen.advance(5_000)
    seen = await connection.expect("seen")
    assert len(seen["lags_ms"]) == 1
    assert 700 + FRAME_MS <= seen["lags_ms"][0] <= 700 + 3 * FRAME_MS
    assert re.fullmatch(r"[A-Za-z0-9-]{1,40}", seen["display"])
    assert seen.get("stale_s", 0) == 0


async def test_seen__coalesced_rooms__have_lags_until_the_write(screen) -> None:
    connection = await screen.become_live()
    for _ in range(3):
        body = screen.server.change(0, changed_at=screen.instant())
        await screen.room(connection, body)
    await connection.processed()
    await screen.advance(250)
    await connection.processed()
    await screen.advance(5_000)
    first, *later = (await connection.expect("seen"))["lags_ms"]
    assert first <= 3 * FRAME_MS
    assert len(later) == 2
    assert all(250 + FRAME_MS <= lag <= 250 + 3 * FRAME_MS for lag in later)


async def test_seen__snapshot__is_not_measured(screen) -> None:
    connection = await screen.become_live()
    await screen.snapshot(connection, screen.server.change(0, changed_at=screen.instant()))
    await connection.processed()
    await pass_two_paints(screen)
    await screen.advance_live(connection, 14_800)
    assert connection.unread("seen") == [], "nothing to tell for 15 s"
    await screen.advance(200)
    assert (await connection.expect("seen"))["lags_ms"] == []


async def test_seen__hidden_page__is_not_measured(screen) -> None:
    connection = await screen.become_live()
    await screen.hide(True)
    await screen.room(connection, screen.server.change(0, changed_at=screen.instant()))
    await connection.processed()
    await pass_two_paints(screen)
    await screen.advance_live(connection, 16_000)
    assert (await connection.expect("seen"))["lags_ms"] == []


async def test_seen__hidden_before_the_paint__is_not_measured(screen) -> None:
    connection = await screen.become_live()
    await screen.room(connection, screen.server.change(0, changed_at=screen.instant()))
    await connection.processed()
    await screen.hide(True)
    await screen.advance(3_000)
    await screen.hide(False)
    await screen.advance_live(connection, 16_000)
    assert (await connection.expect("seen"))["lags_ms"] == []


async def test_seen__many_changes__has_at_most_64_lags(screen) -> None:
    connection = await screen.become_live()
    for _ in range(70):
        body = screen.server.change(0, changed_at=screen.instant())
        await screen.room(connection, body)
    await connection.processed()
    await screen.advance(5_300)
    assert len((await connection.expect("seen"))["lags_ms"]) == 64


async def test_seen__ignored_room__is_not_measured(screen) -> None:
    connection = await screen.become_live()
    await screen.room(connection, row(screen.server.rooms[0]))
    await connection.processed()
    await pass_two_paints(screen)
    await screen.advance_live(connection, 16_000)
    assert (await connection.expect("seen"))["lags_ms"] == []


async def test_seen__not_live__reports_for_how_long(screen) -> None:
    connection = await screen.become_live()
    await screen.advance(9_900)  # live for 6 s, then not
    connection.abort()
    connection = await screen.reconnected(200)
    await screen.advance(5_100)
    seen = await connection.expect("seen")
    assert seen["stale_s"] == pytest.approx(9, abs=0.5)


async def test_display__page_reloaded__keeps_its_name(screen) -> None:
    connection = await screen.become_live()
    await screen.advance_live(connection, 15_000)
    first = await connection.expect("seen")
    await screen.page.reload()
    connection = await screen.become_live(await screen.server.connected())
    await screen.advance_live(connection, 16_000)
    assert (await connection.expect("seen"))["display"] == first["display"]


async def test_seen__lag__is_reported_once(screen) -> None:
    connection = await screen.become_live()
    await screen.room(connection, screen.server.change(0, changed_at=screen.instant()))
    await connection.processed()
    await pass_two_paints(screen)
    await screen.advance_live(connection, 25_000)
    await connection.processed()
    assert [len(seen["lags_ms"]) for seen in connection.unread("seen")] == [1, 0]
