"""When a board gets itself anew, and when it must not."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_hello__same_build__stays(screen) -> None:
    connection = await screen.come_alive()
    await screen.lives(connection, 60_000)
    assert screen.server.pages_served == 1


@pytest.mark.parametrize("luck, wait_ms", [(0, 0), (0.999, 29_970)])
async def test_hello__other_build__loads_the_new_page_once(screen, luck, wait_ms) -> None:
    connection = await screen.come_alive()
    await screen.luck(luck)
    screen.server.build = "b2"
    for _ in range(2):
        await screen.greet(connection, build="b2")
    await connection.settled()
    await screen.lives(connection, max(0, wait_ms - 10))
    assert screen.server.pages_served == 1
    await screen.passes(20)
    connection = await screen.server.connected()
    assert await screen.build() == "b2"
    await screen.come_alive(connection, build="b2")
    await screen.lives(connection, 60_000)
    assert screen.server.pages_served == 3, "looked at, loaded, and left alone"


async def test_hello__page_keeps_its_build__loads_once(screen) -> None:
    """The look finds the new build, the load gets the old one: a rolling restart."""
    connection = await screen.come_alive()
    screen.server.next_builds = ["b2"]
    await screen.greet(connection, build="b2")
    await connection.settled()
    await screen.passes(10)
    connection = await screen.server.connected()
    assert await screen.build() == "b1"
    await screen.come_alive(connection, build="b2")
    await screen.lives(connection, 120_000)
    assert screen.server.pages_served == 3


async def test_hello__new_page_not_served_yet__looks_again_and_stays(screen) -> None:
    connection = await screen.come_alive()
    screen.server.breaks_pages = True
    await screen.greet(connection, build="b2")
    await connection.settled()
    await screen.passes(10)
    await screen.server.served(2)
    screen.server.breaks_pages = False
    await screen.lives(connection, 36_000)  # served again, but of the old build
    assert screen.server.pages_served == 3
    assert await screen.state() == "live"
    assert screen.server.connections.empty(), "never loaded"
    screen.server.build = "b2"
    for _ in range(20):
        await screen.passes(4_000)
        if screen.server.pages_served > 3:
            break
    while await screen.build() != "b2":
        await screen.server.connected()


async def test_snapshot__room_gone__row_goes_and_page_is_loaded_anew(screen) -> None:
    connection = await screen.come_alive()
    await screen.snapshot(connection, gone=["id-Humber"])
    await connection.settled()
    assert await screen.row("Humber").count() == 0
    await screen.passes(10)
    await screen.server.connected()
    assert screen.server.pages_served == 3


async def test_snapshot__full__rows_it_does_not_name_go(screen) -> None:
    connection = await screen.come_alive()
    await screen.snapshot(connection, screen.server.change(0), full=True)
    await connection.settled()
    assert await screen.row("Humber").count() == 0
    assert await screen.version("Dogger") == 2


async def test_room__unknown__page_is_loaded_anew_once_a_minute(screen) -> None:
    connection = await screen.come_alive()
    body = {"id": "id-new", "epoch": "e1", "version": 1, "html": '<li id="room-id-new"></li>'}
    await screen.room(connection, body)
    await connection.settled()
    await screen.passes(10)
    connection = await screen.come_alive(await screen.server.connected())
    await screen.room(connection, body)
    await screen.lives(connection, 59_000)
    assert screen.server.pages_served == 3
    await screen.passes(2_000)
    await screen.server.connected()
    assert screen.server.pages_served == 5
