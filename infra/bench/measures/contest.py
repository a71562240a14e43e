"""The contest: 32 threads book one slot at the same instant, a thousand times."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier

import psycopg
from django.db import OperationalError, connection

from booking.commands.book_room import BookRooms, book_room
from booking.domain.errors import SlotTakenError
from infra.bench.goals import Found, Measured
from infra.bench.places import make_building, make_person
from infra.bench.stage import Stage
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.interval import Interval
from realtime.threads import in_thread

SLOT = timedelta(minutes=15)
START_TIMEOUT_S = 30.0
DEADLOCK_DETECTED = "40P01"
WON, REFUSED, DEADLOCKED, FAILED = "won", "refused", "deadlocked", "failed"


async def measure(stage: Stage, wanted: Collection[str]) -> Found:
    """Return the number of deadlocks, and of slots without exactly one winner."""
    found = await in_thread(_measure, stage)
    return {key: value for key, value in found.items() if key in wanted}


def _measure(stage: Stage) -> Found:
    plan = stage.plan
    actor = make_person("contender").actor
    [room] = make_building("bench-contest", 1)
    begin = SYSTEM_CLOCK.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    before = _server_deadlocks(stage)
    outcomes: list[list[str]] = []
    start = Barrier(plan.contenders)
    with ThreadPoolExecutor(plan.contenders) as threads:  # each has its own connection
        for number in range(plan.contested_slots):
            if number % 50 == 0:
                stage.report(f"{number:,} of {plan.contested_slots:,} slots contested")
            wanted = BookRooms.one(room.uuid, _interval(begin, number))
            contend = partial(_contend, start, actor, wanted)
            outcomes.append(list(threads.map(contend, range(plan.contenders))))
        list(threads.map(partial(_disconnect, start), range(plan.contenders)))
    raised = sum(outcome.count(DEADLOCKED) for outcome in outcomes)
    failed = sum(outcome.count(FAILED) for outcome in outcomes)
    sizes = f"{plan.contested_slots:,} slots, {plan.contenders} contenders each"
    return {
        "deadlocks": Measured(max(raised, _server_deadlocks(stage) - before), sizes),
        "one-winner": Measured(
            sum(outcome.count(WON) != 1 for outcome in outcomes),
            f"{sizes}, {failed} commands failed otherwise",
        ),
    }


def _interval(begin: datetime, number: int) -> Interval:
    start = begin + number * SLOT
    return Interval(start, start + SLOT)


def _contend(start: Barrier, actor: Actor, wanted: BookRooms, _number: int) -> str:
    start.wait(START_TIMEOUT_S)
    try:
        book_room(actor=actor, wanted=wanted)
    except SlotTakenError:
        return REFUSED
    except OperationalError as exc:
        code = getattr(exc.__cause__, "sqlstate", None)
        return DEADLOCKED if code == DEADLOCK_DETECTED else FAILED
    return WON


def _disconnect(start: Barrier, _number: int) -> None:
    start.wait(START_TIMEOUT_S)  # so that every thread runs this once
    connection.close()


def _server_deadlocks(stage: Stage) -> int:
    """Return the number of deadlocks that Postgres has counted."""
    with psycopg.connect(stage.environment["DATABASE_URL"]) as asking:
        found = asking.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    return int(found[0]) if found else 0
