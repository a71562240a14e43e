"""MongoDB is killed, frozen, or empty (F10 to F12), and cut off (F16b)."""

import asyncio
from time import monotonic

from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.followers import STALE_S
from realtime.tests.faults.matrix import Guard, Sized, row
from realtime.tests.faults.measuring import HEALED_WITHIN_S
from realtime.tests.faults.proxy import Mode
from realtime.tests.faults.rows.redis_away import book_on
from realtime.tests.faults.servers import MONGODB

FROZEN_S = Sized(20.0, 0.0)
CUT_OFF_S = Sized(15.0, 0.5)
KILLED_S = Sized(5.0, 0.5)
BOOKED_S = Sized(8.0, 0.5)
ANSWERED_WITHIN_S = 3.0  # STORE_TIMEOUT_S is 2
LIVENESS = Guard("vouching only while the store answers", web=("vouch_always",))


def no_screen_live(lab: Lab) -> bool:
    return not any(f.is_live() for f in lab.followers)


async def not_live(lab: Lab, since: float) -> None:
    """Claim that every screen shows in time that it is not live: STALE_S after the last proof."""
    # a result of the liveness check may be used for 5 s
    limit = STALE_S + 5.0 - (monotonic() - since)
    await lab.within(max(limit, 0.1), "no screen calls itself live", lambda: no_screen_live(lab))


@row(
    "F10",
    "MongoDB killed and started again",
    "bookings go on; screens say that they are not live; states survive; right within 10 s",
    LIVENESS,
    breaks_stores=True,
)
async def killed(lab: Lab) -> None:
    await lab.ready()
    await lab.booker.book(lab.rooms[0])
    await lab.settles("right before")
    before = await lab.truth.states()
    since = monotonic()
    lab.servers.kill(MONGODB)
    await book_on(lab, KILLED_S, is_pushed=False)
    await not_live(lab, since)
    await asyncio.to_thread(lab.servers.start)
    after = await lab.truth.states()
    lost = sum(after[r].epoch != s.epoch or after[r].version < s.version for r, s in before.items())
    lab.claim("states survive", not lost, f"{lost} lost")
    await lab.settles("right after its return")
    await lab.within(HEALED_WITHIN_S, "live again", lab.all_live)
    await lab.judge()


@row(
    "F11",
    f"MongoDB frozen for {FROZEN_S.full:.0f} s",
    "readiness and reads answer within 3 s; bookings go on; screens not live; right within 10 s",
    Guard("the time-out of every store call", web=("store_unbounded",)),
    breaks_stores=True,
)
async def frozen(lab: Lab) -> None:
    await lab.ready()
    since = monotonic()
    lab.servers.freeze(MONGODB)
    ready = await lab.booker.get("/readyz", timeout_s=lab.limit(10))
    lab.claim("not ready, and says so", ready.status == 503, ready.status)
    lab.claim_quick("soon", ready.took_s, ANSWERED_WITHIN_S)
    for path in ("/board/house", "/api/v1/rooms"):
        read = await lab.booker.get(path, timeout_s=lab.limit(10))
        lab.claim(f"{path} answers", read.status == 200, read.status)
        lab.claim_quick("soon", read.took_s, ANSWERED_WITHIN_S)
    await book_on(lab, BOOKED_S, is_pushed=False)
    await not_live(lab, since)
    await asyncio.sleep(max(0.0, lab.size(FROZEN_S) - (monotonic() - since)))
    lab.servers.thaw(MONGODB)
    await lab.settles("right after the thaw")
    await lab.within(HEALED_WITHIN_S, "live again", lab.all_live)
    await lab.judge()


@row(
    "F12",
    "MongoDB comes back empty",
    "rebuilt from Postgres under new epochs; every screen takes them within 10 s",
    Guard("the worker's sweep", driver="sweep_off"),
    breaks_stores=True,
)
async def emptied(lab: Lab) -> None:
    # A second election: new servers know only an older one, which the clients do not accept.
    lab.servers.kill(MONGODB)
    await asyncio.to_thread(lab.servers.start)
    await lab.ready()
    for room in lab.rooms:
        await lab.booker.book(room)
    await lab.settles("right before")
    before = await lab.truth.states()
    if lab.off.driver:
        lab.worker.kill()
        lab.start_worker(lab.off.driver)
    lab.servers.kill(MONGODB)
    lab.servers.wipe(MONGODB)
    await asyncio.to_thread(lab.servers.start)
    await lab.settles("right again")
    after = await lab.truth.states()
    fresh = sum(r in after and after[r].epoch != s.epoch for r, s in before.items())
    lab.claim("new epochs", fresh == len(before), f"{fresh} of {len(before)}")
    await lab.within(HEALED_WITHIN_S, "live again", lab.all_live)
    await lab.judge()


@row(
    "F16b",
    "web and worker cut off from MongoDB for 15 s by a black hole",
    "as F11; heals without a restart",
    LIVENESS,
)
async def cut_off(lab: Lab) -> None:
    proxy = await lab.proxy("MONGODB_URL")
    await lab.ready()
    since = monotonic()
    await proxy.set(Mode.BLACKHOLE)
    await book_on(lab, CUT_OFF_S, is_pushed=False)
    await not_live(lab, since)
    await proxy.set(Mode.PASS)
    proxy.reset()
    await lab.settles("right afterwards")
    await lab.within(HEALED_WITHIN_S, "live again", lab.all_live)
    await lab.judge()
