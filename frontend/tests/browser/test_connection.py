"""How a board comes back: after each close code, a goodbye, a new build, silence."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

LUCK = (0, 0.999)  # what chance says at both ends
# Regular work is done each 4.5 s at most, or an hour of it takes a minute.
SELDOM = """
const regularly = window.setInterval;
window.setInterval = (work, ms) => regularly(work, Math.max(ms, 4500));
"""


async def end(connection, code: int) -> None:
    """Close with a code; 1006 is what a page sees of a line that is cut."""
    if code == 1006:
        connection.abort()
    else:
        await connection.close(code)


@pytest.mark.parametrize("code", [1000, 1006, 1012, 4400, 4408])
async def test_close__ordinary__is_back_after_a_short_random_time(screen, code) -> None:
    connection = await screen.come_alive()
    for luck, wait_ms in zip(LUCK, (200, 1_199), strict=True):
        await screen.luck(luck)
        await end(connection, code)
        connection = await screen.comes_back(wait_ms)
        await screen.come_alive(connection)


@pytest.mark.parametrize("code", [4401, 4403, 4429])
async def test_close__refused__is_back_slowly_and_for_ever(screen, code) -> None:
    connection = await screen.come_alive()
    for luck, wait_ms in zip((*LUCK, 0), (27_000, 32_994, 27_000), strict=True):
        await screen.luck(luck)
        await end(connection, code)
        connection = await screen.comes_back(wait_ms)
    assert await screen.state() == "stale"


async def test_close__refused__says_why(screen) -> None:
    connection = await screen.come_alive()
    detail = "There are too many connections from here."
    await connection.send("error", code="too_many", detail=detail, ref=None)
    await connection.close(4429)
    await screen.is_cut_off()
    await screen.passes(11_000)
    assert detail in await screen.page.locator("[data-reason]").inner_text()


async def test_close__again_and_again__waits_longer_up_to_5_s(screen) -> None:
    connection = await screen.come_alive()
    await screen.luck(0.999)
    for most_s in (1, 2, 4, 5, 5, 5):
        await connection.close(1012)
        connection = await screen.comes_back(200 + 999 * most_s)
    await screen.come_alive(connection)
    await connection.close(1012)
    await screen.comes_back(1_199)


async def test_server__away_for_an_hour__board_is_live_within_10_s_of_its_return(screen) -> None:
    await screen.page.add_init_script(SELDOM)
    connection = await screen.come_alive()
    await screen.luck(0.999)  # the longest waits there are
    screen.server.refuses_sockets = True
    connection.abort()
    for _ in range(6):
        await screen.is_cut_off()
        await screen.passes(600_000)
    await screen.is_cut_off()
    assert await screen.state() == "stale"
    screen.server.refuses_sockets = False
    returned_ms = screen.elapsed_ms
    connection = await screen.comes_back(200 + 999 * 5)
    await screen.come_alive(connection)
    assert screen.elapsed_ms - returned_ms < 10_000


async def test_line__cut__claims_nothing_until_snapshot_and_heartbeat(screen) -> None:
    connection = await screen.come_alive()
    await screen.passes(5_000)
    connection.abort()
    connection = await screen.comes_back(200)
    await screen.passes(1_000)
    assert await screen.state() == "reconnecting"
    assert (await connection.expect("subscribe"))["have"]["id-Dogger"] == ["e1", 1]
    await screen.greet(connection)
    await screen.beat(connection)
    await connection.settled()
    assert await screen.state() == "reconnecting", "a heartbeat that knows nothing of the rows"
    await screen.snapshot(connection, screen.server.change(0))
    await connection.settled()
    assert await screen.state() == "reconnecting", "rows that nobody vouches for"
    await screen.beat(connection)
    await connection.settled()
    assert await screen.state() == "live"


async def test_line__silent__is_left_for_another(screen) -> None:
    await screen.come_alive()
    await screen.passes(10_500)
    assert await screen.state() == "stale"
    await screen.come_alive(await screen.server.connected())


@pytest.mark.parametrize("luck", [0, 0.5, 0.999])
async def test_bye__then_close__is_back_within_what_was_asked(screen, luck) -> None:
    connection = await screen.come_alive()
    await screen.luck(luck)
    await connection.send("bye", after_ms=5_000, reason="restart")
    await connection.close(1012)
    connection = await screen.comes_back(luck * 5_000)
    assert await screen.state() == "live", "its proof is young"
    await connection.close(1012)
    await screen.comes_back(200 + luck * 1_000)  # no step was counted, and it held once


async def test_bye__beyond_reason__is_back_within_30_s(screen) -> None:
    connection = await screen.come_alive()
    await screen.luck(0.999)
    await connection.send("bye", after_ms=9_000_000, reason="restart")
    await connection.close(1012)
    await screen.comes_back(29_970)


async def test_sync__any__is_acknowledged_at_once(screen) -> None:
    connection = await screen.come_alive()
    for n in (7, 8, 9):
        await connection.send("sync", n=n)
    await connection.settled()
    assert connection.acks[-4:-1] == [7, 8, 9]


async def test_ping__every_ten_seconds__is_sent(screen) -> None:
    connection = await screen.come_alive()
    connection.left("ping")
    await screen.passes(9_990)
    await connection.settled()
    assert connection.left("ping") == []
    await screen.passes(10)
    assert (await connection.expect("ping"))["t"] > 0
