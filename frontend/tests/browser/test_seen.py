"""What a board tells the server about itself."""

import re

import pytest

from frontend.tests.browser.server import row

pytestmark = pytest.mark.asyncio(loop_scope="session")

FRAME_MS = 16  # between two paints


async def paints(screen) -> None:
    """Let the write's two paints come."""
    await screen.passes(3 * FRAME_MS)


async def test_seen__room_frame__tells_how_late_it_was_painted(screen) -> None:
    connection = await screen.come_alive()
    changed_at = screen.instant()
    await screen.passes(700)
    await screen.room(connection, screen.server.change(0, changed_at=changed_at))
    await connection.settled()
    await paints(screen)
    await screen.passes(5_000)
    seen = await connection.expect("seen")
    assert len(seen["lags_ms"]) == 1
    assert 700 + FRAME_MS <= seen["lags_ms"][0] <= 700 + 3 * FRAME_MS
    assert re.fullmatch(r"[A-Za-z0-9-]{1,40}", seen["display"])
    assert seen.get("stale_s", 0) == 0


async def test_seen__coalesced_rooms__count_until_the_write(screen) -> None:
    connection = await screen.come_alive()
    for _ in range(3):
        body = screen.server.change(0, changed_at=screen.instant())
        await screen.room(connection, body)
    await connection.settled()
    await screen.passes(250)
    await connection.settled()
    await screen.passes(5_000)
    first, *later = (await connection.expect("seen"))["lags_ms"]
    assert first <= 3 * FRAME_MS
    assert len(later) == 2
    assert all(250 + FRAME_MS <= lag <= 250 + 3 * FRAME_MS for lag in later)


async def test_seen__snapshot__is_not_measured(screen) -> None:
    connection = await screen.come_alive()
    await screen.snapshot(connection, screen.server.change(0, changed_at=screen.instant()))
    await connection.settled()
    await paints(screen)
    await screen.lives(connection, 14_800)
    assert connection.left("seen") == [], "nothing to tell for 15 s"
    await screen.passes(200)
    assert (await connection.expect("seen"))["lags_ms"] == []


async def test_seen__hidden_page__is_not_measured(screen) -> None:
    connection = await screen.come_alive()
    await screen.hide(True)
    await screen.room(connection, screen.server.change(0, changed_at=screen.instant()))
    await connection.settled()
    await paints(screen)
    await screen.lives(connection, 16_000)
    assert (await connection.expect("seen"))["lags_ms"] == []


async def test_seen__hidden_before_the_paint__is_not_measured(screen) -> None:
    connection = await screen.come_alive()
    await screen.room(connection, screen.server.change(0, changed_at=screen.instant()))
    await connection.settled()
    await screen.hide(True)
    await screen.passes(3_000)
    await screen.hide(False)
    await screen.lives(connection, 16_000)
    assert (await connection.expect("seen"))["lags_ms"] == []


async def test_seen__a_flood__is_at_most_64(screen) -> None:
    connection = await screen.come_alive()
    for _ in range(70):
        body = screen.server.change(0, changed_at=screen.instant())
        await screen.room(connection, body)
    await connection.settled()
    await screen.passes(5_300)
    assert len((await connection.expect("seen"))["lags_ms"]) == 64


async def test_seen__ignored_room__is_not_measured(screen) -> None:
    connection = await screen.come_alive()
    await screen.room(connection, row(screen.server.rooms[0]))
    await connection.settled()
    await paints(screen)
    await screen.lives(connection, 16_000)
    assert (await connection.expect("seen"))["lags_ms"] == []


async def test_seen__not_live__says_for_how_long(screen) -> None:
    connection = await screen.come_alive()
    await screen.passes(9_900)  # live for 6 s, then not
    connection.abort()
    connection = await screen.comes_back(200)
    await screen.passes(5_100)
    seen = await connection.expect("seen")
    assert seen["stale_s"] == pytest.approx(9, abs=0.5)


async def test_display__page_loaded_again__keeps_its_name(screen) -> None:
    connection = await screen.come_alive()
    await screen.lives(connection, 15_000)
    first = await connection.expect("seen")
    await screen.page.reload()
    connection = await screen.come_alive(await screen.server.connected())
    await screen.lives(connection, 16_000)
    assert (await connection.expect("seen"))["display"] == first["display"]


async def test_seen__reported_once(screen) -> None:
    connection = await screen.come_alive()
    await screen.room(connection, screen.server.change(0, changed_at=screen.instant()))
    await connection.settled()
    await paints(screen)
    await screen.lives(connection, 25_000)
    await connection.settled()
    assert [len(seen["lags_ms"]) for seen in connection.left("seen")] == [1, 0]
