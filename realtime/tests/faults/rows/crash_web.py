"""A web process dies: a second one already runs (F1), or there is none for a minute (F1b)."""

import asyncio
from functools import partial
from time import monotonic

from meeting_rooms.dev.servers.ports import free_port
from realtime.tests.faults.browser import Change, Display, browser, open_display
from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, Sized, row

BACK_WITHIN_S = 5.0
PUSHED_WITHIN_S = (
    1.0  # so soon after the answer a booking is on every screen that calls itself live
)
CLIENTS = Sized(12, 3)
AWAY_S = Sized(60.0, 1.0)
BOARDS = Sized(196, 4)  # clients that reconnect like a page
PAGES = Sized(4, 1)  # pages in a browser
LIVE_WITHIN_S = 10.0
OLD_RETRY: Change = ("RETRY_MOST_MS = 5000", "RETRY_MOST_MS = 30000")
OLD_RETRY_S = 30.0


def wrong_proofs(lab: Lab, room: str, version: int, since: float) -> int:
    """Count the proofs of life since `since` of screens with an older version of the room."""
    return sum(
        rooms[room]["schedule"]["version"] < version
        for follower in lab.followers
        for at, rooms in follower.proven
        if at > since and room in rooms
    )


@row(
    "F1",
    "web killed while idle, another process takes its place behind the proxy",
    "clients live again within 5 s; none calls itself live with what is old",
    Guard("the client's coming back", driver="stays_away"),
)
async def idle(lab: Lab) -> None:
    spare = free_port()
    proxy = await lab.web_proxy()
    proxy.turn_to(lab.port, spare=spare)
    await lab.start()
    first = lab.web
    await lab.start_web(port=spare)
    lab.follow(lab.size(CLIENTS), port=proxy.port)
    await lab.until(20, lab.all_live, "clients did not come up")
    for follower in lab.followers:
        follower.comes_back = not lab.off.driver
    killed_at = monotonic()
    first.kill()
    lab.turn_to(spare)
    answer = await lab.booker.book(lab.rooms[0])
    booked_at = monotonic()
    lab.claim("the other one books at once", answer.status == 201, answer.status)

    def back() -> bool:
        return all(f.proofs and f.proofs[-1] > killed_at for f in lab.followers)

    await lab.within(BACK_WITHIN_S - (monotonic() - killed_at), "all live again", back)
    closes = {code for f in lab.followers for _, code in f.closes}
    lab.claim("closed without a word", closes == {1006}, closes)
    await lab.settles("screens right")
    version = (await lab.truth.schedule_versions())[lab.rooms[0]]
    wrong = wrong_proofs(lab, lab.rooms[0], version, booked_at + lab.limit(PUSHED_WITHIN_S))
    lab.claim("live with what is old", not wrong, f"{wrong} times")
    await lab.judge()


@row(
    "F1b",
    f"web away for {AWAY_S.full:.0f} s under {BOARDS.full + PAGES.full} boards, then back",
    "every board live within 10 s",
    Guard("attempts at least every 5 s, however long it is away", driver="old_retry"),
)
async def away(lab: Lab) -> None:
    await lab.start()
    boards = lab.follow(lab.size(BOARDS), public=True)
    for board in boards if lab.off.driver else ():
        board.retry_most_s = OLD_RETRY_S
    change = OLD_RETRY if lab.off.driver else None
    async with browser() as running:
        url = f"{lab.url}/board/house"
        pages = [await open_display(running, url, change=change) for _ in range(lab.size(PAGES))]
        await lab.until(20, partial(_all_live, lab, pages), "boards did not come up")
        lab.web.kill()
        await asyncio.sleep(lab.size(AWAY_S))
        await lab.start_web()
        back_at = monotonic()

        async def live_again() -> bool:
            proven = all(board.proofs[-1] > back_at for board in boards)
            return proven and await _all_live(lab, pages)

        await lab.within(LIVE_WITHIN_S, "all live again", live_again)
    errors = lab.web.output.count('"status": 5') + lab.web.output.count("Traceback")
    lab.claim("errors in the log", not errors, errors)
    await lab.settles("screens right")
    await lab.judge()


async def _all_live(lab: Lab, pages: list[Display]) -> bool:
    return await lab.all_live() and all([await page.is_live() for page in pages])
