"""A board stays open while each process and each store is killed and started again (S1)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from time import monotonic

from realtime.tests.faults.board import Photographer, photographed
from realtime.tests.faults.booking_client import now
from realtime.tests.faults.browser import Change
from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, Sized, row
from realtime.tests.faults.servers import MONGODB, POSTGRES, REDIS

DOWN_S = Sized(15.0, 1.0)  # longer than a board may continue without proof
FREE_S = Sized(1.0, 0.2)
AFTER_S = Sized(2.0, 0.0)
WRONG_AT_MOST_S = 10.0
BACK_WITHIN_S = 10.0
NEVER_STALE: Change = ("STALE_MS = 10000", "STALE_MS = 1e9")


@row(
    "S1",
    f"web, worker, Redis, MongoDB, Postgres killed in turn for {DOWN_S.full:.0f} s, a board open",
    "no picture shows colours and a room free that was taken more than 10 s before",
    Guard("the board's rule that without proof it is stale", driver="never_stale"),
    breaks_stores=True,
)
async def left_open(lab: Lab) -> None:
    await lab.start()
    folder = lab.folder / "pictures"
    await asyncio.to_thread(folder.mkdir)
    change = NEVER_STALE if lab.off.driver else None
    taken: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        photographer = await stack.enter_async_context(
            photographed(f"{lab.url}/board/house", folder, change=change)
        )
        await lab.until(20, photographer.is_live, "the board did not come up")
        turns = _turns(lab)
        for (name, down, up), room in zip(turns, lab.rooms, strict=False):
            photographer.phase = name
            await _one(lab, photographer, down, up, room, taken)
        photographer.phase = "after"
        await asyncio.sleep(lab.size(AFTER_S))
        _judge(lab, photographer, taken)


Step = Callable[[], Awaitable[object]]


def _turns(lab: Lab) -> list[tuple[str, Step, Step]]:
    async def kill_web() -> None:
        lab.web.kill()

    async def kill_worker() -> None:
        lab.worker.kill()

    async def start_worker() -> None:
        lab.start_worker()

    stores = [
        (
            str(store.value),
            lambda store=store: asyncio.to_thread(lab.servers.kill, store),
            lambda: asyncio.to_thread(lab.servers.start),
        )
        for store in (REDIS, MONGODB, POSTGRES)
    ]
    return [
        ("web", kill_web, lab.start_web),
        ("worker", kill_worker, start_worker),
        *stores,
    ]


async def _one(
    lab: Lab, photographer: Photographer, down: Step, up: Step, room: str, taken: dict[str, float]
) -> None:
    """Kill, let a client take a free room, wait, start again, and wait for the board."""
    since = monotonic()
    await down()
    booking = asyncio.get_running_loop().create_task(_take(lab, room, taken), name="booking")
    await asyncio.sleep(lab.size(DOWN_S) - (monotonic() - since))
    await up()
    await booking
    await lab.within(
        BACK_WITHIN_S,
        f"{photographer.phase}: live and right again",
        lambda: photographer.is_live() and room not in photographer.pictures[-1].free,
    )


async def _take(lab: Lab, room: str, taken: dict[str, float]) -> None:
    """Book a room from now on, as soon as a server answers."""
    await asyncio.sleep(lab.size(FREE_S))
    answer = await lab.booker.insist(lab.booker.command(room, now()), limit_s=lab.limit(60))
    assert answer.status == 201, answer
    taken[room] = monotonic()


def _judge(lab: Lab, photographer: Photographer, taken: dict[str, float]) -> None:
    pictures = photographer.pictures
    wrong = [
        (picture.at - since, picture)
        for picture in pictures
        if picture.is_claim
        for room, since in taken.items()
        if room in picture.free and picture.at > since
    ]
    longest = max((age for age, _ in wrong), default=0.0)
    too_long = sum(age > lab.limit(WRONG_AT_MOST_S) for age, _ in wrong)
    live_wrong = max((age for age, p in wrong if p.state == "live"), default=0.0)
    states = {
        state: sum(p.state == state for p in pictures)
        for state in ("live", "reconnecting", "stale")
    }
    lab.claim(
        "a wrong free after 10 s",
        not too_long,
        f"{too_long} of {len(pictures)} pictures; longest {longest:.1f} s with colours, "
        f"{live_wrong:.1f} s called live",
    )
    if not lab.is_short:  # no outage was long enough
        lab.claim("the board says so", bool(states["stale"]), f"{states}")
