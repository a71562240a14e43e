"""The frames that change the rows of a board, and how often the board writes them."""

from dataclasses import replace

import pytest

from frontend.fragments import BoardFragments
from frontend.tests.browser.server import TOPIC, row
from frontend.tests.factories import NOW, free_room

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = (
    "<script>window.isOwned = true</script>",
    "<img src=x onerror='window.isOwned = true'>",
    "<p style='position:fixed'>over everything</p>",
    "<p hx-get='/admin/' hx-trigger='load'>fetches</p>",
    "<p data-hx-get='/admin/'>fetches</p>",
    "<form action='/'><button>Sign in</button></form>",
    "<iframe src='/'></iframe>",
    "<hx-partial hx-target='h1'>elsewhere</hx-partial>",
    "<template><p>later</p></template>",
)
MALFORMED = (
    "", "{", "null", "[]", "7", '"room"', "{}", '{"type":null}', '{"type":"nobody knows"}',
    '{"type":"constructor"}', '{"type":"__proto__"}', '{"type":"room"}', '{"type":"summary"}',
    '{"type":"room","room":{"id":"id-Dogger","epoch":"e1","version":9}}',
    '{"type":"room","room":{"id":"id-Dogger","epoch":"e1","version":9,"html":7}}',
    '{"type":"heartbeat"}', '{"type":"hello"}', '{"type":"bye"}', '{"type":"pong"}',
)  # fmt: skip


async def test_room__newer_version__is_shown(screen) -> None:
    connection = await screen.become_live()
    await screen.room(connection, screen.server.change(0, capacity=99))
    await connection.processed()
    assert await screen.version("Dogger") == 2
    assert "99" in await screen.row("Dogger").inner_text()


async def test_room__version_skipped__newest_is_shown(screen) -> None:
    connection = await screen.become_live()
    await screen.room(connection, screen.server.change(0, version=7))
    await connection.processed()
    assert await screen.version("Dogger") == 7


@pytest.mark.parametrize("version", [2, 3])
async def test_room__same_or_older_version__is_ignored(screen, version) -> None:
    connection = await screen.become_live()
    await screen.room(connection, screen.server.change(0, version=3))
    await connection.processed()
    await screen.advance(300)
    old = row(replace(screen.server.rooms[0], version=version, capacity=99))
    await screen.room(connection, old)
    await connection.processed()
    await screen.advance(300)
    assert await screen.version("Dogger") == 3
    assert "99" not in await screen.row("Dogger").inner_text()


async def test_snapshot__older_version__is_ignored(screen) -> None:
    connection = await screen.become_live()
    await screen.room(connection, screen.server.change(0, version=3))
    await connection.processed()
    await screen.advance(300)
    await screen.snapshot(connection, row(replace(screen.server.rooms[0], version=2)))
    await connection.processed()
    await screen.advance(300)
    assert await screen.version("Dogger") == 3


async def test_room__other_epoch__subscribes_with_the_known_versions(screen) -> None:
    connection = await screen.become_live()
    await screen.advance(1_001)
    connection.unread("subscribe")
    body = screen.server.change(0, epoch="e2", version=1)
    await screen.room(connection, body)
    subscription = await connection.expect("subscribe")
    assert subscription["have"]["id-Dogger"] == ["e1", 1]
    assert subscription["topic"] == TOPIC
    assert subscription["view"] == "board"
    assert await screen.row("Dogger").get_attribute("data-epoch") == "e1"


async def test_snapshot__other_epoch__replaces_the_row(screen) -> None:
    connection = await screen.become_live()
    await screen.snapshot(connection, screen.server.change(0, epoch="e2", version=1))
    await connection.processed()
    assert await screen.row("Dogger").get_attribute("data-epoch") == "e2"


async def test_room__of_another_topic__is_ignored(screen) -> None:
    connection = await screen.become_live()
    await connection.send("room", topic="building:other", room=screen.server.change(0))
    await connection.processed()
    assert await screen.version("Dogger") == 1


async def test_room__many_frames_at_once__are_written_four_times_a_second(screen) -> None:
    connection = await screen.become_live()
    await screen.advance(1_001)  # the page may subscribe again
    await screen.page.evaluate(
        "window.writes = 0; document.addEventListener('live:tick', () => { window.writes++; })"
    )
    for _ in range(50):
        await screen.room(connection, screen.server.change(0))
    await screen.heartbeat(connection)  # the page counts unwritten rooms: the digests agree
    await connection.processed()
    assert await screen.version("Dogger") == 2, "the first at once"
    assert await screen.page.evaluate("window.writes") == 2, "one write and the heartbeat"
    await screen.advance(249)
    assert await screen.version("Dogger") == 2
    await screen.advance(1)
    await connection.processed()
    assert await screen.version("Dogger") == 51, "the others as one"
    assert connection.unread("subscribe") == []


async def test_summary__parts_of_the_page__are_replaced(screen) -> None:
    connection = await screen.become_live()
    busy = BoardFragments().summary([free_room()], NOW)
    await connection.send("summary", topic=TOPIC, html=busy)
    await connection.processed()
    count = screen.page.locator("#board-count")
    assert "1 room free now" in " ".join((await count.inner_text()).split())


async def test_summary__other_elements__are_unchanged(screen) -> None:
    connection = await screen.become_live()
    html = '<p id="board-else">new</p><li id="room-id-Dogger">not by this way</li>'
    await connection.send("summary", topic=TOPIC, html=html)
    await connection.processed()
    assert await screen.version("Dogger") == 1
    assert await screen.page.locator("#board-else").count() == 0


async def test_snapshot__summary__is_shown(screen) -> None:
    connection = await screen.become_live()
    html = BoardFragments().summary([free_room()], NOW)
    await screen.snapshot(connection, summary=html)
    await connection.processed()
    count = await screen.page.locator("#board-count").inner_text()
    assert "1 room free now" in " ".join(count.split())


async def test_html__disallowed_content__is_refused(screen) -> None:
    connection = await screen.become_live()
    body = row(replace(screen.server.rooms[0], version=2))
    for hostile in HOSTILE:
        html = body["html"].replace("</li>", f"{hostile}</li>")
        await screen.room(connection, {**body, "html": html})
        html = f'<div id="board-count">{hostile}</div>'
        await connection.send("summary", topic=TOPIC, html=html)
        await connection.processed()
        await screen.advance(300)
        assert await screen.version("Dogger") == 1, hostile
        assert "3" in await screen.page.locator("#board-count").inner_text(), hostile
    assert await screen.page.evaluate("window.isOwned") is None


async def test_frame__malformed__changes_nothing(screen) -> None:
    connection = await screen.become_live()
    for text in MALFORMED:
        await connection.socket.send(text)
        await connection.processed()
        assert await screen.state() == "live", text
        assert await screen.version("Dogger") == 1, text
    await screen.room(connection, screen.server.change(0))
    await connection.processed()
    assert await screen.version("Dogger") == 2, "and the next one is taken"


async def test_room__several_other_epochs__subscribes_once_a_second(screen) -> None:
    connection = await screen.become_live()
    await screen.advance(1_001)
    connection.unread("subscribe")
    for epoch in ("e2", "e3", "e4"):
        await screen.room(connection, screen.server.change(0, epoch=epoch))
    await connection.processed()
    assert len(connection.unread("subscribe")) == 1
    await screen.advance(1_001)
    await screen.room(connection, screen.server.change(0, epoch="e5"))
    await connection.expect("subscribe")
