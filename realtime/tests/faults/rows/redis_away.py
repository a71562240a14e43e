"""Redis is killed, frozen, unreachable or full (F6 to F9), and cut off (F16a)."""

import asyncio
from functools import partial
from math import inf
from time import monotonic

from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, Sized, row
from realtime.tests.faults.measuring import HEALED_WITHIN_S
from realtime.tests.faults.proxy import Mode
from realtime.tests.faults.servers import REDIS

BOOKED_WITHIN_S = 2.0
FROZEN_S = Sized(30.0, 0.5)
AWAY_S = Sized(15.0, 0.5)
PAUSE_S = Sized(1.0, 0.1)
FULL_S = Sized(5.0, 0.1)
AFTER_S = Sized(3.0, 0.1)
HEAL = Guard("the hub's comparing with the store", web=("heal_off",))


async def book_on(lab: Lab, length: Sized[float], *, is_pushed: bool = True) -> None:
    """Book about once a second; claim that all commands succeed quickly and every screen follows.

    Without `is_pushed` the screens cannot follow: MongoDB is away.
    """
    until, slowest, failed, latest = monotonic() + lab.size(length), 0.0, 0, 0.0
    n = 0
    while monotonic() < until:
        room = lab.rooms[n % 3]
        before = {f.name: f.version(room) for f in lab.followers if room in f.screen.rooms}
        answer = await lab.booker.book(room)
        n += 1
        slowest = max(slowest, answer.took_s)
        failed += answer.status != 201
        if is_pushed:
            took = await lab.took(HEALED_WITHIN_S, partial(_is_newer, lab, room, before))
            latest = max(latest, inf if took is None else took)
        await asyncio.sleep(lab.size(PAUSE_S))
    lab.claim("bookings go on", not failed, f"{n - failed} of {n}")
    lab.claim_quick("the slowest", slowest, BOOKED_WITHIN_S)
    if is_pushed:
        lab.claim_quick("each on every screen", latest, HEALED_WITHIN_S)


def _is_newer(lab: Lab, room: str, before: dict[str, int]) -> bool:
    return all(f.version(room) > before[f.name] for f in lab.followers if f.name in before)


def claim_never_closed(lab: Lab) -> None:
    closed = sum(len(f.closes) + len(f.left) for f in lab.followers)
    lab.claim("sockets stay", not closed, f"{closed} closed")


@row(
    "F6",
    "Redis killed and started again, under idle and busy sockets",
    "right within 10 s without it and after it; no socket closes",
    HEAL,
    breaks_stores=True,
)
async def killed(lab: Lab) -> None:
    await lab.ready()
    lab.follow(2, topic=f"room:{lab.rooms[-1]}")  # without bookings: idle
    await lab.until(20, lab.all_live, "clients did not come up")
    lab.servers.kill(REDIS)
    await book_on(lab, AWAY_S)
    await _noticed(lab)
    await lab.settles("right without Redis")
    await asyncio.to_thread(lab.servers.start)
    await book_on(lab, AFTER_S)
    await lab.settles("right after its return")
    await _heard_again(lab)
    claim_never_closed(lab)
    await lab.judge()


@row(
    "F7",
    f"Redis frozen for {FROZEN_S.full:.0f} s",
    "bookings succeed in 2 s each; screens right within 10 s all along and after",
    Guard("the time-out of publishing", worker=("publish_unbounded",)),
    breaks_stores=True,
)
async def frozen(lab: Lab) -> None:
    await lab.ready()
    lab.servers.freeze(REDIS)
    await book_on(lab, FROZEN_S)
    await _noticed(lab)
    await lab.settles("right while it is frozen")
    lab.servers.thaw(REDIS)
    await book_on(lab, AFTER_S)
    await lab.settles("right after the thaw")
    await _heard_again(lab)
    claim_never_closed(lab)
    await lab.judge()


@row(
    "F8",
    "Redis behind a black hole, then every connection reset",
    "the same bound; the first change after it comes through the layer again",
    HEAL,
)
async def black_hole(lab: Lab) -> None:
    proxy = await lab.proxy("REDIS_URL")
    await lab.ready()
    await proxy.set(Mode.BLACKHOLE)
    await book_on(lab, AWAY_S)
    await _noticed(lab)
    await lab.settles("right in the black hole")
    await proxy.set(Mode.PASS)
    proxy.reset()
    await book_on(lab, AFTER_S)
    await lab.settles("right after the reset")
    await _heard_again(lab)
    claim_never_closed(lab)
    await lab.judge()


async def _noticed(lab: Lab) -> None:
    """Wait until the web process has noticed that it does not receive from the layer."""
    is_deaf = lambda: "layer_deaf" in lab.web.output  # noqa: E731
    await lab.until(HEALED_WITHIN_S, is_deaf, "it was not noticed that the layer is away")


async def _heard_again(lab: Lab) -> None:
    """Claim that the web process receives from the layer again."""
    await lab.within(
        HEALED_WITHIN_S,
        "the layer is heard again",
        lambda: lab.web.output.count("layer_heard") >= 2,
    )


@row(
    "F9",
    "Redis full: no memory, nothing is evicted",
    "bookings succeed; screens right within 10 s",
    Guard(
        "a layer that stores nothing in Redis, and comparing",
        web=("layer_core", "heal_off"),
        worker=("layer_core",),
    ),
    breaks_stores=True,
)
async def full(lab: Lab) -> None:
    await lab.ready()
    before = await lab.redis_command("CONFIG", "GET", "maxmemory")
    await lab.redis_command("CONFIG", "SET", "maxmemory-policy", "noeviction")
    await lab.redis_command("CONFIG", "SET", "maxmemory", "1kb")
    try:
        await book_on(lab, FULL_S)
        await lab.settles("right while it is full")
    finally:
        await lab.redis_command("CONFIG", "SET", "maxmemory", before[b"maxmemory"])
    await book_on(lab, AFTER_S)
    await lab.settles("right afterwards")
    claim_never_closed(lab)
    await lab.judge()


@row(
    "F16a",
    "web and worker cut off from Redis for 15 s, new connections refused",
    "as F7; heals without a restart",
    HEAL,
)
async def cut_off(lab: Lab) -> None:
    proxy = await lab.proxy("REDIS_URL")
    await lab.ready()
    await proxy.set(Mode.REFUSE)
    proxy.reset()
    await book_on(lab, AWAY_S)
    await _noticed(lab)
    await lab.settles("right while cut off")
    await proxy.set(Mode.PASS)
    await book_on(lab, AFTER_S)
    await lab.settles("right afterwards")
    await _heard_again(lab)
    claim_never_closed(lab)
    await lab.judge()
