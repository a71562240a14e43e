"""The layer repeats, reorders and loses messages (F25 to F27)."""

import asyncio

from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, Sized, row

ROUNDS = Sized(12, 2)
NO_RULE = Guard("the version rule, in the hub and in the client", web=("version_rule_off",),
                driver="careless")  # fmt: skip


async def book_through(lab: Lab, patch: str) -> None:
    """Book in quick succession over a faulty layer; claim that all screens end up right."""
    lab.start_worker(patch)
    await lab.start_web()
    lab.follow(3)
    lab.follow(1, public=True)
    await lab.until(20, lab.all_live, "clients did not come up")
    rooms = lab.rooms[:2]
    failed, rounds = 0, lab.size(ROUNDS)
    for _ in range(rounds):
        answers = await asyncio.gather(*(lab.booker.book(room) for room in rooms))
        failed += sum(a.status != 201 for a in answers)
    lab.claim("all booked", not failed, f"{rounds * len(rooms) - failed}")
    await lab.settles(f"screens right ({patch})")
    shown = sum(len(f.screen.applied) for f in lab.followers)
    lab.claim("pushed", shown > 0, f"{shown} states")
    await lab.judge()


@row("F25", "every message delivered three times", "a version is shown once", NO_RULE)
async def repeated(lab: Lab) -> None:
    await book_through(lab, "repeat")


@row("F26", "messages delivered in reverse order", "no older version is ever shown", NO_RULE)
async def swapped(lab: Lab) -> None:
    await book_through(lab, "swap")


_HEAL = Guard("the hub's comparing with the store", web=("heal_off",))


# Enough rooms for the few lost messages to include a last message of a room.
@row("F27a", "5 % of all messages lost", "right within 10 s", _HEAL, rooms=Sized(60, 6))
async def few_lost(lab: Lab) -> None:
    await book_through(lab, "lose=0.05")
    await _last_one(lab)


@row("F27b", "50 % of all messages lost", "right within 10 s", _HEAL)
async def half_lost(lab: Lab) -> None:
    await book_through(lab, "lose=0.5")
    await _last_one(lab)


async def _last_one(lab: Lab) -> None:
    """Change every room once more, so that no later message repairs a loss."""
    for room in lab.rooms:
        await lab.booker.book(room)
    await lab.settles("right after the last of each room")
    await lab.judge()
