"""A process whose clock is wrong by an hour (F22)."""

import asyncio
from datetime import timedelta
from time import monotonic

from meeting_rooms.dev.servers.ports import free_port
from realtime.tests.faults.booking_client import now
from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.followers import STALE_S
from realtime.tests.faults.matrix import Guard, Sized, row
from realtime.tests.faults.measuring import HEALED_WITHIN_S

HOUR_S = 3600
MINUTE = timedelta(minutes=1)
WATCHED_S = Sized(12.0, 0.5)
PAUSE_S = Sized(0.5, 0.1)
SAMPLE_S = 0.02
SAID_WITHIN_S = 10.0
BELIEVED_S = 5.0  # the time for which a result of the liveness check may be used
NOTICED = Guard("the comparing of clocks with the store's", web=("skew_unnoticed",),
                worker=("skew_unnoticed",))  # fmt: skip
DATABASE_TIME = Guard("booking by the database's clock", web=("own_clock",))


async def set_scene(lab: Lab) -> dict[str, bool]:
    """Book rooms by correct clocks so that an hour matters; return which rooms are busy."""
    plans = ((-1, 30, True), (40, 70, False), (45, 120, False), (55, 85, False))
    busy = {}
    for room, (start, end, is_busy) in zip(lab.rooms, plans, strict=False):
        at, length = now() + start * MINUTE, (end - start) * MINUTE
        answer = await lab.booker.book(room, start=at, length=length)
        assert answer.status == 201, answer
        busy[room] = is_busy
    await lab.settles("right before")
    return busy


async def change(lab: Lab, busy: dict[str, bool]) -> None:
    """Book far slots of these rooms, so that every worker is notified of them repeatedly.

    Claims that meanwhile no screen calls itself live and shows a room wrongly as free or busy.
    """
    until, n, samples, wrong = monotonic() + lab.size(WATCHED_S), 0, 0, 0
    booking = asyncio.create_task(lab.booker.book(lab.rooms[0]))
    book_at = monotonic()
    while monotonic() < until:
        if monotonic() >= book_at:
            await booking
            n, book_at = n + 1, monotonic() + lab.size(PAUSE_S)
            booking = asyncio.create_task(lab.booker.book(lab.rooms[n % len(busy)]))
        for follower in lab.followers:
            if follower.is_live():
                samples += 1
                rooms = follower.screen.rooms
                wrong += any((rooms[r]["status"] != "free") != b for r, b in busy.items())
        await asyncio.sleep(SAMPLE_S)
    await booking
    lab.claim("live with a wrong free or busy", not wrong, f"{wrong} of {samples} looks")


async def claim_kept(lab: Lab) -> None:
    """Claim that no booking was released before its time."""
    bookings = await lab.truth.bookings()
    given_back = sum(not b.is_live for b in bookings)
    lab.claim("bookings given back", not given_back, f"{given_back} of {len(bookings)}")


async def beside_a_right_worker(lab: Lab, seconds: int) -> None:
    await lab.ready()
    busy = await set_scene(lab)
    lab.start_worker(f"skew={seconds}")
    await change(lab, busy)
    await lab.within(SAID_WITHIN_S, "the worker says so", lambda: "clock_off" in lab.worker.output)
    await claim_kept(lab)
    await lab.within(HEALED_WITHIN_S, "still live", lab.all_live)
    await lab.settles("screens right")
    await lab.judge()


@row(
    "F22a",
    "one of two workers is an hour fast",
    "no wrong free or busy on a live screen; no booking given back early; screens stay live",
    NOTICED,
)
async def fast_worker(lab: Lab) -> None:
    await beside_a_right_worker(lab, HOUR_S)


@row(
    "F22b",
    "one of two workers is an hour slow",
    "no wrong free or busy on a live screen; screens stay live",
    NOTICED,
)
async def slow_worker(lab: Lab) -> None:
    await beside_a_right_worker(lab, -HOUR_S)


@row(
    "F22c",
    "the only worker is an hour fast",
    "no wrong free or busy on a live screen; no booking given back; within 15 s no screen is live; "
    "right within 10 s of a right worker's start",
    NOTICED,
)
async def only_worker(lab: Lab) -> None:
    await lab.ready()
    busy = await set_scene(lab)
    since = monotonic()
    lab.worker.kill()
    lab.start_worker(f"skew={HOUR_S}")
    await change(lab, busy)
    left = STALE_S + BELIEVED_S - (monotonic() - since)
    await lab.within(left, "no screen is live", lambda: not any(f.is_live() for f in lab.followers))
    await claim_kept(lab)
    lab.worker.kill()
    lab.start_worker()
    await lab.within(HEALED_WITHIN_S, "live again", lab.all_live)
    await lab.settles("screens right")
    await lab.judge()


async def web_is_off(lab: Lab, seconds: int) -> None:
    """Book and read through a web process with a wrong clock, beside a correct one."""
    await lab.ready()
    busy = await set_scene(lab)
    off = free_port()
    await lab.start_web(f"skew={seconds}", port=off)
    strange = lab.follow(3, port=off)
    lab.turn_to(off)
    answer = await lab.booker.book(lab.rooms[4], start=now() - MINUTE, length=30 * MINUTE)
    state = (answer.body or {}).get("state", answer.status)
    lab.claim("a walk-up is one", state == "checked_in", state)
    await change(lab, busy)
    lab.claim(
        "its screens live", not any(f.proofs for f in strange), sum(len(f.proofs) for f in strange)
    )
    right = [f for f in lab.followers if f not in strange]
    lab.claim("the others live", await lab.all_live(right), sum(f.is_live() for f in right))
    await claim_kept(lab)
    await lab.settles("screens right")
    await lab.judge()


@row(
    "F22d",
    "one of two web processes is an hour fast",
    "its screens never call themselves live, the others do; bookings by the database's time",
    DATABASE_TIME,
)
async def fast_web(lab: Lab) -> None:
    await web_is_off(lab, HOUR_S)


@row(
    "F22e",
    "one of two web processes is an hour slow",
    "its screens never call themselves live, the others do; bookings by the database's time",
    DATABASE_TIME,
)
async def slow_web(lab: Lab) -> None:
    await web_is_off(lab, -HOUR_S)
