"""When a board may call itself live, and when it must not."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_board__snapshot_and_heartbeat__is_live(screen) -> None:
    connection = await screen.open()
    subscribe = await connection.expect("subscribe")
    assert subscribe["have"] == {f"id-{n}": ["e1", 1] for n in ("Dogger", "Fisher", "Humber")}
    assert await screen.state() == "connecting"
    await screen.snapshot(connection)
    await connection.settled()
    assert await screen.state() == "connecting", "rows alone prove nothing"
    await screen.beat(connection)
    await connection.settled()
    assert await screen.state() == "live"


async def test_board__heartbeat_without_snapshot__is_not_live(screen) -> None:
    connection = await screen.open()
    await screen.beat(connection)
    await connection.settled()
    assert await screen.state() == "connecting"


async def test_board__silence__says_so_after_6_and_10_s(screen) -> None:
    await screen.come_alive()
    await screen.passes(5_999)
    assert await screen.state() == "live"
    await screen.passes(251)
    assert await screen.state() == "reconnecting"
    await screen.passes(3_700)
    assert await screen.state() == "reconnecting"
    await screen.passes(300)
    assert await screen.state() == "stale"


async def test_digest__differs_once__stays_live_and_asks(screen) -> None:
    connection = await screen.come_alive()
    await screen.lives(connection, 4_000)
    screen.server.change(0)
    await screen.passes(4_000)
    await screen.beat(connection)
    assert (await connection.expect("subscribe"))["have"]["id-Dogger"] == ["e1", 1]
    await screen.passes(5_900)
    assert await screen.state() == "live"


async def test_digest__differs_twice__is_no_proof(screen) -> None:
    connection = await screen.come_alive()
    screen.server.change(0)
    for _ in range(2):
        await screen.passes(4_000)
        await screen.beat(connection)
        await connection.settled()
    assert len(connection.left("subscribe")) == 2
    await screen.passes(2_000)
    assert await screen.state() == "reconnecting", "6 s after the first doubt"
    await screen.passes(4_000)
    assert await screen.state() == "stale"


async def test_digest__agrees_again__is_live(screen) -> None:
    connection = await screen.come_alive()
    body = screen.server.change(0)
    for _ in range(2):
        await screen.passes(4_000)
        await screen.beat(connection)
        await connection.settled()
    await screen.passes(2_000)
    await screen.snapshot(connection, body)
    await screen.beat(connection)
    await connection.settled()
    assert await screen.state() == "live"


async def test_tab__hidden_and_back__asks_at_once(screen) -> None:
    connection = await screen.come_alive()
    await screen.hide(True)
    await screen.lives(connection, 4_000)
    connection.left("subscribe")
    await screen.hide(False)
    assert (await connection.expect("subscribe"))["have"]["id-Dogger"] == ["e1", 1]


async def test_tab__back_after_silence__connects_at_once(screen) -> None:
    await screen.come_alive()
    await screen.hide(True)
    await screen.passes(7_000)
    await screen.hide(False)
    assert await screen.state() == "reconnecting"
    await screen.come_alive(await screen.server.connected())


async def test_machine__slept__is_stale_at_once_and_connects(screen) -> None:
    """The wall clock jumps by an hour and the monotonic one does not: that is sleep."""
    await screen.come_alive()
    await screen.sleeps(3_600_000)
    await screen.passes(250)
    assert await screen.state() == "stale"
    assert await screen.page.locator("[data-clock]").inner_text() == "11:24"
    await screen.come_alive(await screen.server.connected())


async def test_machine__wall_clock_set_back__stays_live(screen) -> None:
    connection = await screen.come_alive()
    await screen.sleeps(-3_600_000)
    await screen.lives(connection, 8_000)
    assert await screen.state() == "live"
    assert await screen.page.locator("[data-clock]").inner_text() == "10:24"
    assert screen.server.connections.empty()


async def test_timers__stood_still__connects_again(screen) -> None:
    """A tab that was frozen for a minute: both clocks jump, no timer fired between."""
    await screen.come_alive()
    await screen.freezes(60_000)
    await screen.come_alive(await screen.server.connected())


async def test_digest__doubt_while_coming_back__is_no_proof(screen) -> None:
    connection = await screen.come_alive()
    await screen.passes(9_000)
    screen.server.change(0)
    await screen.beat(connection)
    await connection.settled()
    assert await screen.state() == "reconnecting"


async def test_hello__page_came_from_a_cache__sets_the_clock(screen) -> None:
    connection = await screen.open()
    screen.elapsed_ms += 600_000
    await screen.greet(connection)
    await connection.settled()
    await screen.passes(250)
    assert await screen.page.locator("[data-clock]").inner_text() == "10:34"


async def test_pong__slow_line__clock_is_set_by_half_of_it(screen) -> None:
    connection = await screen.open()
    ping = await connection.expect("ping")
    await screen.passes(1_000)
    screen.elapsed_ms += 51_900  # half a second of the way: the minute turns 600 ms from now
    await connection.send("pong", t=ping["t"], at=screen.at())
    await connection.settled()
    clock = screen.page.locator("[data-clock]")
    await screen.passes(250)
    assert await clock.inner_text() == "10:24"
    await screen.passes(500)
    assert await clock.inner_text() == "10:25"


async def test_heartbeat__after_a_pong__leaves_the_clock_alone(screen) -> None:
    """It was under way for a while: lags measured by its clock would look too small."""
    connection = await screen.come_alive()
    ping = await connection.expect("ping")
    await connection.send("pong", t=ping["t"], at=screen.at())
    await connection.settled()
    screen.elapsed_ms -= 1_500
    await screen.beat(connection)
    await connection.settled()
    screen.elapsed_ms += 1_500
    changed_at = screen.instant()
    await screen.room(connection, screen.server.change(0, changed_at=changed_at))
    await connection.settled()
    await screen.passes(5_100)
    assert 16 <= (await connection.expect("seen"))["lags_ms"][0] <= 48
