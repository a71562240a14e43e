"""A process is killed at the worst instant (F2 to F5), and commands race (F15)."""

import asyncio
from collections import Counter

import psycopg

from realtime.tests.faults.booking_client import SLOT, now
from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, Sized, row

REACH_S = 15.0
RACERS = Sized(40, 8)


async def book_and_be_killed(lab: Lab, *failpoints: str) -> dict[str, str]:
    """Send a command to a web process that stops at a fail point; kill the process there."""
    await lab.start_web(*failpoints)
    lab.follow(3)
    await lab.until(20, lab.all_live, "clients did not come up")
    command = lab.booker.command(lab.rooms[0])
    sending = asyncio.create_task(lab.booker.send(command))
    await lab.until(REACH_S, lab.reached.exists, "the fail point was not reached")
    lab.web.kill()
    answer = await sending
    lab.claim("the killed request has no answer", answer.status == 0, answer.status or "none")
    return command


@row(
    "F2",
    "web killed after the commit, wake-up lost",
    "booking kept; screens right within 10 s; the retry gets the same booking",
    Guard("the worker's sweep", worker=("sweep_off",)),
)
async def web_after_commit(lab: Lab) -> None:
    lab.start_worker("deaf")
    command = await book_and_be_killed(lab, "hold_after_commit")
    bookings = await lab.truth.bookings()
    lab.claim("the booking is stored", len(bookings) == 1, len(bookings))
    await lab.start_web()
    again = await lab.booker.insist(command)
    same = again.status == 201 and again.body["id"] == bookings[0].id
    lab.claim("the retry gets the same booking", same, again.status)
    await lab.settles("screens right")
    await lab.judge()


@row(
    "F3",
    "web killed before the commit",
    "no booking; the retry with the same key makes exactly one",
    Guard("one transaction for booking, audit, receipt and version", driver="commit_early"),
)
async def web_before_commit(lab: Lab) -> None:
    lab.start_worker()
    early = ("commit_early",) if lab.off.driver else ()
    command = await book_and_be_killed(lab, "hold_before_commit", *early)
    bookings = await lab.truth.bookings()
    lab.claim("nothing is stored", not bookings, len(bookings))
    await lab.start_web()
    again = await lab.booker.insist(command)
    lab.claim("the retry books", again.status == 201, again.status)
    await lab.settles("screens right")
    await lab.judge()


@row(
    "F4",
    "web killed after the push, before the answer",
    "the screen has it; the retry gets the same booking, once",
    Guard("idempotency receipts", driver="idempotency_off"),
)
async def web_before_answer(lab: Lab) -> None:
    lab.start_worker()
    await lab.start_web("hold_after_commit")
    lab.follow(3)
    await lab.until(20, lab.all_live, "clients did not come up")
    command = lab.booker.command(lab.rooms[0])
    sending = asyncio.create_task(lab.booker.send(command))
    await lab.until(REACH_S, lab.reached.exists, "the fail point was not reached")
    await lab.settles("pushed before the answer")
    lab.web.kill()
    await sending
    bookings = await lab.truth.bookings()
    await lab.start_web(*([lab.off.driver] if lab.off.driver else []))
    again = await lab.booker.insist(command)
    same = again.status == 201 and again.body["id"] == bookings[0].id
    lab.claim("the retry gets the same booking", same, again.status)
    await lab.settles("screens right")
    await lab.judge()


@row(
    "F5",
    "worker killed in the middle of a batch",
    "every room right within 10 s of a worker's return; no version twice with other content",
    Guard("the worker's sweep", driver="sweep_off"),
    rooms=Sized(40, 14),  # more than the part of a batch after which the worker is killed
)
async def worker_in_batch(lab: Lab) -> None:
    await lab.start_web()
    first = lab.start_worker("hold_in_batch")
    lab.follow(3)
    await lab.until(20, lab.all_live, "clients did not come up")
    answers = await asyncio.gather(*(lab.booker.book(room) for room in lab.rooms))
    booked = sum(a.status == 201 for a in answers)
    lab.claim("all booked meanwhile", booked == len(lab.rooms), booked)
    await lab.until(REACH_S, lab.reached.exists, "the fail point was not reached")
    first.kill()
    states = await lab.truth.states()
    done = sum(s.schedule.version > 1 for s in states.values())
    lab.claim("killed in mid batch", 0 < done < len(lab.rooms), f"{done} of {len(lab.rooms)}")
    lab.start_worker(*([lab.off.driver] if lab.off.driver else []))
    await lab.settles("every room right, start-up included")
    await lab.judge()


MEANINGLESS = """
    ALTER TABLE booking_booking DROP CONSTRAINT booking_no_overlap,
    ADD CONSTRAINT booking_no_overlap EXCLUDE USING gist (during WITH &&) WHERE (false)
"""


@row(
    "F15",
    f"{RACERS.full} commands race for one slot",
    "exactly one wins, in SQL and over HTTP; the others get 409",
    Guard("the exclusion constraint", driver="constraint_off"),
)
async def race(lab: Lab) -> None:
    await lab.start()
    if lab.off.driver:
        await lab.truth.query(MEANINGLESS)
    command, racers = lab.booker.command(lab.rooms[0]), lab.size(RACERS)
    commands = [{**command, "title": f"racer-{n}"} for n in range(racers)]
    send = lab.booker.insist if lab.is_short else lab.booker.send
    answers = await asyncio.gather(*(send(one) for one in commands))
    codes = Counter(a.status for a in answers)
    lab.claim("one over HTTP", codes == {201: 1, 409: racers - 1}, dict(codes))
    [winner] = [a for a in answers if a.status == 201]
    won = await _race_in_sql(lab, winner.body["id"])
    lab.claim("one in SQL", won == 1, f"{won} won, {racers - won} refused")
    await lab.judge()


async def _race_in_sql(lab: Lab, won: str) -> int:
    """Insert copies of a booking in another slot by many connections; return the number stored."""
    start = now().replace(microsecond=0) + 3 * SLOT
    statement = (
        "INSERT INTO booking_booking SELECT copy.* FROM booking_booking AS original, "
        "jsonb_populate_record(original, jsonb_build_object('id', gen_random_uuid(), "
        "'title', 'sql', 'during', tstzrange(%s, %s))) AS copy WHERE original.id = %s"
    )

    async def insert() -> bool:
        try:
            await lab.truth.query(statement, start, start + SLOT, won)
        except psycopg.errors.ExclusionViolation:
            return False
        return True

    return sum(await asyncio.gather(*(insert() for _ in range(lab.size(RACERS)))))
