"""When a board reloads its page, and when it must not."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_hello__same_build__does_not_reload(screen) -> None:
    connection = await screen.become_live()
    await screen.advance_live(connection, 60_000)
    assert screen.server.pages_served == 1


@pytest.mark.parametrize("luck, wait_ms", [(0, 0), (0.999, 29_970)])
async def test_hello__other_build__reloads_the_page_once(screen, luck, wait_ms) -> None:
    connection = await screen.become_live()
    await screen.luck(luck)
    screen.server.build = "b2"
    for _ in range(2):
        await screen.hello(connection, build="b2")
    await connection.processed()
    await screen.advance_live(connection, max(0, wait_ms - 10))
    assert screen.server.pages_served == 1
    await screen.advance(20)
    connection = await screen.server.connected()
    assert await screen.build() == "b2"
    await screen.become_live(connection, build="b2")
    await screen.advance_live(connection, 60_000)
    assert screen.server.pages_served == 3, "looked at, loaded, and left alone"


async def test_hello__reload_gets_the_old_build__reloads_once(screen) -> None:
    """In a rolling restart, the check gets the new build and the reload gets the old one."""
    connection = await screen.become_live()
    screen.server.next_builds = ["b2"]
    await screen.hello(connection, build="b2")
    await connection.processed()
    await screen.advance(10)
    connection = await screen.server.connected()
    assert await screen.build() == "b1"
    await screen.become_live(connection, build="b2")
    await screen.advance_live(connection, 120_000)
    assert screen.server.pages_served == 3


async def test_hello__new_page_not_served_yet__checks_until_it_is_served(screen) -> None:
    connection = await screen.become_live()
    screen.server.breaks_pages = True
    await screen.hello(connection, build="b2")
    await connection.processed()
    await screen.advance(10)
    await screen.server.served(2)
    screen.server.breaks_pages = False
    await screen.advance_live(connection, 36_000)  # pages are served again, but with the old build
    assert screen.server.pages_served == 3
    assert await screen.state() == "live"
    assert screen.server.connections.empty(), "never loaded"
    screen.server.build = "b2"
    for _ in range(20):
        await screen.advance(4_000)
        if screen.server.pages_served > 3:
            break
    while await screen.build() != "b2":
        await screen.server.connected()


async def test_snapshot__room_gone__removes_the_row_and_reloads_the_page(screen) -> None:
    connection = await screen.become_live()
    await screen.snapshot(connection, gone=["id-Humber"])
    await connection.processed()
    assert await screen.row("Humber").count() == 0
    await screen.advance(10)
    await screen.server.connected()
    assert screen.server.pages_served == 3


async def test_snapshot__full__removes_the_rows_of_other_rooms(screen) -> None:
    connection = await screen.become_live()
    await screen.snapshot(connection, screen.server.change(0), full=True)
    await connection.processed()
    assert await screen.row("Humber").count() == 0
    assert await screen.version("Dogger") == 2


async def test_room__unknown__reloads_the_page_at_most_once_a_minute(screen) -> None:
    connection = await screen.become_live()
    body = {"id": "id-new", "epoch": "e1", "version": 1, "html": '<li id="room-id-new"></li>'}
    await screen.room(connection, body)
    await connection.processed()
    await screen.advance(10)
    connection = await screen.become_live(await screen.server.connected())
    await screen.room(connection, body)
    await screen.advance_live(connection, 59_000)
    assert screen.server.pages_served == 3
    await screen.advance(2_000)
    await screen.server.connected()
    assert screen.server.pages_served == 5
