"""Run what was asked for, one measurement after the other. Imported after Django is set up."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

import httpx
import psycopg
from tqdm import tqdm

from infra.bench.goals import BenchError, Found, Outcome
from infra.bench.measures import (
    board,
    booking,
    burst,
    commit,
    connection,
    contest,
    fanout,
    growth,
    herd,
    latency,
    processes,
    stalled,
    table,
)
from infra.bench.places import make_somebody
from infra.bench.rows import ROWS, TABLE
from infra.bench.stage import Stage
from meeting_rooms.kernel.errors import MeetingRoomsError
from realtime.threads import in_thread

Measure = Callable[[Stage, Collection[str]], Awaitable[Found]]

MEASURES: dict[str, Measure] = {
    "fanout": fanout.measure,
    "burst": burst.measure,
    "latency": latency.measure,
    "stalled": stalled.measure,
    "herd": herd.measure,
    "processes": processes.measure,
    "connection": connection.measure,
    "booking": booking.measure,
    "contest": contest.measure,
    "board": board.measure,
    "growth": growth.measure,
    "commit": commit.measure,
}
# What a machine or a server can do to a measurement. One row fails; the others are still measured.
FAILURES = (BenchError, MeetingRoomsError, OSError, TimeoutError, httpx.HTTPError, psycopg.Error,
            ExceptionGroup)  # fmt: skip


async def run(stage: Stage, wanted: Collection[str], bar: "tqdm[str]") -> list[Outcome]:
    """Measure the wanted rows and return them in the order of the table."""
    somebody = await in_thread(make_somebody, "bench")
    stage = replace(stage, token=somebody.token)
    outcomes: list[Outcome] = []
    for name, rows in ROWS.items():
        keys = [row.key for row in rows if row.key in wanted]
        if not keys:
            continue
        bar.set_description(name)
        found = await _measured(MEASURES[name], stage, keys)
        for row in rows:
            match found.get(row.key):
                case None:
                    continue
                case BenchError() as problem:
                    outcomes.append(Outcome(row, problem=str(problem)))
                case measured:
                    outcomes.append(Outcome(row, measured))
        bar.update()
    if TABLE in wanted:
        bar.set_description(TABLE)
        await table.measure(stage)
        bar.update()
    return outcomes


def steps(wanted: Collection[str]) -> int:
    """Return how many measurements the wanted rows take."""
    return sum(any(row.key in wanted for row in rows) for rows in ROWS.values()) + (TABLE in wanted)


async def _measured(measure: Measure, stage: Stage, keys: list[str]) -> Found:
    try:
        return await measure(stage, keys)
    except FAILURES as exc:
        problem = exc if isinstance(exc, BenchError) else BenchError(repr(exc))
        return dict.fromkeys(keys, problem)
