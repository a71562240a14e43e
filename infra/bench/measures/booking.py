"""The complete booking command, compared with the one INSERT statement that it needs."""

import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import psycopg

from booking.commands.book_room import BookRooms, book_room
from infra.bench.goals import Found, Measured, times
from infra.bench.places import make_building, make_person
from infra.bench.raw_bookings import INSERT, raw_table, values_of
from infra.bench.stage import Stage
from meeting_rooms.gc_tuning import collect_seldom
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.interval import Interval
from realtime.threads import in_thread
from rooms.domain.effective_policy import QuotaPeriod
from rooms.models import Policy, Room

SLOT = timedelta(minutes=15)
MAX_SLOTS = 60_000  # 15 min each: 625 days, within the advance of a booking
WARM_UPS = 20  # of command and insert, before each round
TURNS = 10  # per round, alternately, so that other load affects both sides


async def measure(stage: Stage, wanted: Collection[str]) -> Found:  # noqa: ARG001 - one row
    """Return the ratio of the least Python CPU per booking."""
    return await in_thread(_measure, stage)


def _measure(stage: Stage) -> Found:
    [room] = make_building("bench-booking", 1)
    _give_rules(room)
    slots = _slots()
    collect_seldom()  # as in a web process; for both sides
    command: list[float] = []
    raw: list[float] = []
    with raw_table(stage.environment["DATABASE_URL"]) as connection:
        insert = _inserter(connection, room.pk, slots)
        for number in range(stage.plan.rounds):
            stage.report(f"{stage.plan.bookings} bookings each, round {number + 1}")
            # Each round has a new person: Postgres counts the person's bookings, and a longer wait
            # leaves the thread with a colder cache.
            book = _booker(make_person(f"booker-{number}").actor, room, slots)
            _repeat(insert, WARM_UPS)
            _repeat(book, WARM_UPS)
            for _ in range(TURNS):
                raw.append(_cpu_us(insert, stage.plan.bookings // TURNS))
                command.append(_cpu_us(book, stage.plan.bookings // TURNS))
    detail = f"command {min(command):.0f} µs, raw insert {min(raw):.0f} µs"
    return {"booking-cpu": Measured(times(min(command), min(raw)), detail)}


def _give_rules(room: Room) -> None:
    """Give the room a rule of each kind that refuses nothing, so that all rules are evaluated."""
    policy = Policy.objects.create(
        room=room, min_minutes=15, max_minutes=240, step_minutes=15, advance_days=730
    )
    for weekday in range(7):
        policy.opening_hours.create(weekday=weekday, opens="00:00", closes="00:00")
    policy.quotas.create(period=QuotaPeriod.MONTH, max_minutes=60_000)


def _slots() -> Callable[[], tuple[datetime, datetime]]:
    """Return a function that returns another free slot with each call."""
    begin = SYSTEM_CLOCK.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    numbers = iter(range(MAX_SLOTS))

    def slot() -> tuple[datetime, datetime]:
        start = begin + next(numbers) * SLOT
        return start, start + SLOT

    return slot


def _inserter(
    connection: psycopg.Connection, room: int, slots: Callable[[], tuple[datetime, datetime]]
) -> Callable[[], object]:
    def insert() -> object:
        return connection.execute(INSERT, values_of(room, *slots())).fetchone()

    return insert


def _booker(
    actor: Actor, room: Room, slots: Callable[[], tuple[datetime, datetime]]
) -> Callable[[], object]:
    def book() -> object:
        return book_room(actor=actor, wanted=BookRooms.one(room.uuid, Interval(*slots()), "Retro"))

    return book


def _cpu_us(step: Callable[[], object], times: int) -> float:
    """Return the CPU of this thread per step; Postgres runs in other processes."""
    begun = time.thread_time()
    _repeat(step, times)
    return (time.thread_time() - begun) / times * 1e6


def _repeat(step: Callable[[], object], times: int) -> None:
    for _ in range(times):
        step()
