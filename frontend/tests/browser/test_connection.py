"""How a board reconnects: after each close code, after a bye, after silence."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

LUCK = (0, 0.999)  # the least and nearly the largest value of Math.random
# Makes every interval at least 4.5 s long; otherwise the test of an hour takes a minute.
LONG_INTERVALS = """
const regularly = window.setInterval;
window.setInterval = (work, ms) => regularly(work, Math.max(ms, 4500));
"""


async def end(connection, code: int) -> None:
    """Close with a code; for 1006, the code of a lost connection, abort the connection."""
    if code == 1006:
        connection.abort()
    else:
        await connection.close(code)


@pytest.mark.parametrize("code", [1000, 1006, 1012, 4400, 4408])
async def test_close__ordinary_code__reconnects_after_a_short_random_time(screen, code) -> None:
    connection = await screen.become_live()
    for luck, wait_ms in zip(LUCK, (200, 1_199), strict=True):
        await screen.luck(luck)
        await end(connection, code)
        connection = await screen.reconnected(wait_ms)
        await screen.become_live(connection)


@pytest.mark.parametrize("code", [4401, 4403, 4429])
async def test_close__refused__reconnects_slowly_and_never_gives_up(screen, code) -> None:
    connection = await screen.become_live()
    for luck, wait_ms in zip((*LUCK, 0), (27_000, 32_994, 27_000), strict=True):
        await screen.luck(luck)
        await end(connection, code)
        connection = await screen.reconnected(wait_ms)
    assert await screen.state() == "stale"


async def test_close__refused__shows_the_reason(screen) -> None:
    connection = await screen.become_live()
    detail = "There are too many connections from here."
    await connection.send("error", code="too_many", detail=detail, ref=None)
    await connection.close(4429)
    await screen.wait_until_disconnected()
    await screen.advance(11_000)
    assert detail in await screen.page.locator("[data-reason]").inner_text()


async def test_close__repeated__waits_longer_up_to_5_s(screen) -> None:
    connection = await screen.become_live()
    await screen.luck(0.999)
    for max_s in (1, 2, 4, 5, 5, 5):
        await connection.close(1012)
        connection = await screen.reconnected(200 + 999 * max_s)
    await screen.become_live(connection)
    await connection.close(1012)
    await screen.reconnected(1_199)


async def test_server__down_for_an_hour__board_is_live_within_10_s_of_its_return(screen) -> None:
    await screen.page.add_init_script(LONG_INTERVALS)
    connection = await screen.become_live()
    await screen.luck(0.999)  # the longest waits
    screen.server.refuses_sockets = True
    connection.abort()
    for _ in range(6):
        await screen.wait_until_disconnected()
        await screen.advance(600_000)
    await screen.wait_until_disconnected()
    assert await screen.state() == "stale"
    screen.server.refuses_sockets = False
    returned_ms = screen.elapsed_ms
    connection = await screen.reconnected(200 + 999 * 5)
    await screen.become_live(connection)
    assert screen.elapsed_ms - returned_ms < 10_000


async def test_connection__lost__is_not_live_until_snapshot_and_heartbeat(screen) -> None:
    connection = await screen.become_live()
    await screen.advance(5_000)
    connection.abort()
    connection = await screen.reconnected(200)
    await screen.advance(1_000)
    assert await screen.state() == "reconnecting"
    assert (await connection.expect("subscribe"))["have"]["id-Dogger"] == ["e1", 1]
    await screen.hello(connection)
    await screen.heartbeat(connection)
    await connection.processed()
    assert await screen.state() == "reconnecting", "a heartbeat that knows nothing of the rows"
    await screen.snapshot(connection, screen.server.change(0))
    await connection.processed()
    assert await screen.state() == "reconnecting", "rows that nobody vouches for"
    await screen.heartbeat(connection)
    await connection.processed()
    assert await screen.state() == "live"


async def test_connection__silent__is_replaced_by_a_new_one(screen) -> None:
    await screen.become_live()
    await screen.advance(10_500)
    assert await screen.state() == "stale"
    await screen.become_live(await screen.server.connected())


@pytest.mark.parametrize("luck", [0, 0.5, 0.999])
async def test_bye__then_close__reconnects_within_the_requested_time(screen, luck) -> None:
    connection = await screen.become_live()
    await screen.luck(luck)
    await connection.send("bye", after_ms=5_000, reason="restart")
    await connection.close(1012)
    connection = await screen.reconnected(luck * 5_000)
    assert await screen.state() == "live", "its proof is young"
    await connection.close(1012)
    await screen.reconnected(200 + luck * 1_000)  # the bye applied once and was no failed attempt


async def test_bye__requested_time_too_long__reconnects_within_30_s(screen) -> None:
    connection = await screen.become_live()
    await screen.luck(0.999)
    await connection.send("bye", after_ms=9_000_000, reason="restart")
    await connection.close(1012)
    await screen.reconnected(29_970)


async def test_sync__any__is_acknowledged_at_once(screen) -> None:
    connection = await screen.become_live()
    for n in (7, 8, 9):
        await connection.send("sync", n=n)
    await connection.processed()
    assert connection.acks[-4:-1] == [7, 8, 9]


async def test_ping__every_ten_seconds__is_sent(screen) -> None:
    connection = await screen.become_live()
    connection.unread("ping")
    await screen.advance(9_990)
    await connection.processed()
    assert connection.unread("ping") == []
    await screen.advance(10)
    assert (await connection.expect("ping"))["t"] > 0
