"""When a board is live, when it is reconnecting, and when it is stale."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_board__snapshot_and_heartbeat__is_live(screen) -> None:
    connection = await screen.open()
    subscribe = await connection.expect("subscribe")
    assert subscribe["have"] == {f"id-{n}": ["e1", 1] for n in ("Dogger", "Fisher", "Humber")}
    assert await screen.state() == "connecting"
    await screen.snapshot(connection)
    await connection.processed()
    assert await screen.state() == "connecting", "rows alone prove nothing"
    await screen.heartbeat(connection)
    await connection.processed()
    assert await screen.state() == "live"


async def test_board__heartbeat_without_snapshot__is_not_live(screen) -> None:
    connection = await screen.open()
    await screen.heartbeat(connection)
    await connection.processed()
    assert await screen.state() == "connecting"


async def test_board__silence__is_reconnecting_after_6_s_and_stale_after_10_s(screen) -> None:
    await screen.become_live()
    await screen.advance(5_999)
    assert await screen.state() == "live"
    await screen.advance(251)
    assert await screen.state() == "reconnecting"
    await screen.advance(3_700)
    assert await screen.state() == "reconnecting"
    await screen.advance(300)
    assert await screen.state() == "stale"


async def test_board__heartbeat_with_old_proof__is_stale_10_s_after_the_proof(screen) -> None:
    connection = await screen.become_live()
    await screen.advance(2_000)
    await screen.heartbeat(connection, age_ms=3_000)
    await connection.processed()
    await screen.advance(6_700)
    assert await screen.state() == "reconnecting", "an old proof is no silence"
    await screen.advance(550)
    assert await screen.state() == "stale"


async def test_digest__differs_once__stays_live_and_subscribes_again(screen) -> None:
    connection = await screen.become_live()
    await screen.advance_live(connection, 4_000)
    screen.server.change(0)
    await screen.advance(4_000)
    await screen.heartbeat(connection)
    assert (await connection.expect("subscribe"))["have"]["id-Dogger"] == ["e1", 1]
    await screen.advance(5_900)
    assert await screen.state() == "live"


async def test_digest__differs_twice__is_no_proof_of_life(screen) -> None:
    connection = await screen.become_live()
    screen.server.change(0)
    for _ in range(2):
        await screen.advance(4_000)
        await screen.heartbeat(connection)
        await connection.processed()
    assert len(connection.unread("subscribe")) == 2
    await screen.advance(2_000)
    assert await screen.state() == "reconnecting", "6 s after the first doubt"
    await screen.advance(4_000)
    assert await screen.state() == "stale"


async def test_digest__agrees_again__is_live(screen) -> None:
    connection = await screen.become_live()
    body = screen.server.change(0)
    for _ in range(2):
        await screen.advance(4_000)
        await screen.heartbeat(connection)
        await connection.processed()
    await screen.advance(2_000)
    await screen.snapshot(connection, body)
    await screen.heartbeat(connection)
    await connection.processed()
    assert await screen.state() == "live"


async def test_tab__hidden_and_shown_again__subscribes_at_once(screen) -> None:
    connection = await screen.become_live()
    await screen.hide(True)
    await screen.advance_live(connection, 4_000)
    connection.unread("subscribe")
    await screen.hide(False)
    assert (await connection.expect("subscribe"))["have"]["id-Dogger"] == ["e1", 1]


async def test_tab__shown_again_after_silence__reconnects_at_once(screen) -> None:
    await screen.become_live()
    await screen.hide(True)
    await screen.advance(7_000)
    await screen.hide(False)
    assert await screen.state() == "reconnecting"
    await screen.become_live(await screen.server.connected())


async def test_machine__back_from_sleep__is_stale_at_once_and_reconnects(screen) -> None:
    """In sleep, the wall clock advances by an hour and the monotonic clock stands still."""
    await screen.become_live()
    await screen.suspend(3_600_000)
    await screen.advance(250)
    assert await screen.state() == "stale"
    assert await screen.page.locator("[data-clock]").inner_text() == "11:24"
    await screen.become_live(await screen.server.connected())


async def test_machine__wall_clock_set_back__stays_live(screen) -> None:
    connection = await screen.become_live()
    await screen.suspend(-3_600_000)
    await screen.advance_live(connection, 8_000)
    assert await screen.state() == "live"
    assert await screen.page.locator("[data-clock]").inner_text() == "10:24"
    assert screen.server.connections.empty()


async def test_timers__frozen__reconnects(screen) -> None:
    """The tab is frozen for a minute: both clocks jump, and no timer fires meanwhile."""
    await screen.become_live()
    await screen.freeze(60_000)
    await screen.become_live(await screen.server.connected())


async def test_digest__differs_while_reconnecting__is_no_proof_of_life(screen) -> None:
    connection = await screen.become_live()
    await screen.advance(9_000)
    screen.server.change(0)
    await screen.heartbeat(connection)
    await connection.processed()
    assert await screen.state() == "reconnecting"


async def test_hello__page_from_a_cache__sets_the_clock(screen) -> None:
    connection = await screen.open()
    screen.elapsed_ms += 600_000
    await screen.hello(connection)
    await connection.processed()
    await screen.advance(250)
    assert await screen.page.locator("[data-clock]").inner_text() == "10:34"


async def test_pong__slow_connection__sets_the_clock_with_half_the_round_trip(screen) -> None:
    connection = await screen.open()
    ping = await connection.expect("ping")
    await screen.advance(1_000)
    screen.elapsed_ms += 51_900  # plus 0.5 s, half the round trip: 600 ms to the next minute
    await connection.send("pong", t=ping["t"], at=screen.at())
    await connection.processed()
    clock = screen.page.locator("[data-clock]")
    await screen.advance(250)
    assert await clock.inner_text() == "10:24"
    await screen.advance(500)
    assert await clock.inner_text() == "10:25"


async def test_heartbeat__after_a_pong__does_not_set_the_clock(screen) -> None:
    """A heartbeat arrives late: lags measured with its time would be too small."""
    connection = await screen.become_live()
    ping = await connection.expect("ping")
    await connection.send("pong", t=ping["t"], at=screen.at())
    await connection.processed()
    screen.elapsed_ms -= 1_500
    await screen.heartbeat(connection)
    await connection.processed()
    screen.elapsed_ms += 1_500
    changed_at = screen.instant()
    await screen.room(connection, screen.server.change(0, changed_at=changed_at))
    await connection.processed()
    await screen.advance(5_100)
    assert 16 <= (await connection.expect("seen"))["lags_ms"][0] <= 48
