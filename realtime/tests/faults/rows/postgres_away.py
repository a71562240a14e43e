"""Postgres is killed or frozen (F13, F14), and cut off (F16c)."""

import asyncio
from time import monotonic

from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, Sized, row
from realtime.tests.faults.measuring import HEALED_WITHIN_S
from realtime.tests.faults.proxy import Mode
from realtime.tests.faults.rows.redis_away import claim_never_closed
from realtime.tests.faults.servers import POSTGRES

REFUSED_WITHIN_S = 2.0  # while no server listens
GIVEN_UP_WITHIN_S = (
    12.0  # while the server does not answer: the statement time-out of 10 s, and a little
)
OUTAGE_S = Sized(15.0, 0.0)
COMMANDS = Sized(2, 1)  # each waits for the time-out
LONG_OUTAGE_S = Sized(40.0, 0.5)  # long enough for the attempts to connect to become rare
HANDLED = Guard("answering 503 for a store that is away", web=("unavailable_unhandled",))


async def book_in_vain(lab: Lab, limit_s: float, commands: int = 5) -> list[dict[str, str]]:
    """Send commands while Postgres is away; claim that each is refused correctly and in time."""
    sent = [lab.booker.command(room) for room in lab.rooms[:commands]]
    answers = [await lab.booker.send(command, timeout_s=lab.limit(limit_s) + 3) for command in sent]
    codes = sorted({a.status for a in answers})
    lab.claim("refused with 503", codes == [503], codes)
    asked = all(a.retry_after for a in answers)
    lab.claim("with Retry-After", asked, sum(bool(a.retry_after) for a in answers))
    slowest = max(a.took_s for a in answers)
    lab.claim_quick("the slowest", slowest, limit_s)
    return sent


async def recover(lab: Lab, sent: list[dict[str, str]]) -> None:
    """Claim that each refused command now succeeds once, and all screens are right and live."""
    began = monotonic()
    answers = [
        await lab.booker.insist(command, limit_s=lab.limit(HEALED_WITHIN_S)) for command in sent
    ]
    took = monotonic() - began
    booked = sum(a.status == 201 for a in answers)
    lab.claim("the same commands succeed", booked == len(sent), f"{booked} of {len(sent)}")
    lab.claim_quick("soon", took, HEALED_WITHIN_S)
    await lab.settles("screens right")
    await lab.within(HEALED_WITHIN_S, "live again", lab.all_live)
    claim_never_closed(lab)
    await lab.judge()


@row(
    "F13",
    f"Postgres killed, and started again after {LONG_OUTAGE_S.full:.0f} s",
    "503 with Retry-After within 2 s; no half bookings; screens keep their state; right in 10 s",
    Guard("giving up early on a connection, and trying afresh", web=("postgres_patient",)),
    breaks_stores=True,
)
async def killed(lab: Lab) -> None:
    await lab.ready()
    await lab.booker.book(lab.rooms[0])
    await lab.settles("right before")
    began = monotonic()
    lab.servers.kill(POSTGRES)
    shown = [dict(f.screen.rooms) for f in lab.followers]
    sent = await book_in_vain(lab, REFUSED_WITHIN_S)
    await asyncio.sleep(max(0.0, lab.size(LONG_OUTAGE_S) - (monotonic() - began)))
    kept = shown == [f.screen.rooms for f in lab.followers]
    lab.claim("screens keep their state", kept, "unchanged" if kept else "changed")
    await asyncio.to_thread(lab.servers.start)
    await recover(lab, sent)


@row(
    "F14",
    f"Postgres frozen for {OUTAGE_S.full:.0f} s",
    "commands answered 503 within 12 s; sockets unaffected; right within 10 s",
    Guard("a limit to every wait for Postgres", web=("postgres_unbounded",)),
    breaks_stores=True,
)
async def frozen(lab: Lab) -> None:
    await lab.ready()
    await lab.booker.book(lab.rooms[0])
    await lab.settles("right before")
    began = monotonic()
    lab.servers.freeze(POSTGRES)
    sent = await book_in_vain(lab, GIVEN_UP_WITHIN_S, commands=lab.size(COMMANDS))
    await asyncio.sleep(max(0.0, lab.size(OUTAGE_S) - (monotonic() - began)))
    lab.servers.thaw(POSTGRES)
    await recover(lab, sent)


@row(
    "F16c",
    "web and worker cut off from Postgres by a black hole, then every connection reset",
    "as F14; heals without a restart",
    HANDLED,
)
async def cut_off(lab: Lab) -> None:
    proxy = await lab.proxy("DATABASE_URL")
    await lab.ready()
    await lab.booker.book(lab.rooms[0])
    await lab.settles("right before")
    began = monotonic()
    await proxy.set(Mode.BLACKHOLE)
    sent = await book_in_vain(lab, GIVEN_UP_WITHIN_S, commands=lab.size(COMMANDS))
    await asyncio.sleep(max(0.0, lab.size(OUTAGE_S) - (monotonic() - began)))
    await proxy.set(Mode.PASS)
    proxy.reset()
    await recover(lab, sent)
