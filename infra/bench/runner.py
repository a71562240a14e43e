"""Run the wanted measurements one after the other. Import after Django is set up."""

import asyncio
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Any

from tqdm import tqdm

from infra.bench.goals import BenchError, Found, Outcome
from infra.bench.measures import (
    board,
    booking,
    burst,
    commit,
    connection,
    contest,
    day_view,
    fanout,
    growth,
    herd,
    latency,
    losers,
    processes,
    stalled,
    table,
)
from infra.bench.places import make_person
from infra.bench.rows import ROWS, TABLE
from infra.bench.stage import Stage
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
    "losers": losers.measure,
    "board": board.measure,
    "day_view": day_view.measure,
    "growth": growth.measure,
    "commit": commit.measure,
}


async def run(
    stage: Stage, wanted: Collection[str], bar: "tqdm[Any]", outcomes: list[Outcome]
) -> None:
    """Measure the wanted rows and append their outcomes in the order of ROWS.

    Raises CancelledError on SIGINT, SIGTERM and SIGHUP, after all servers have ended.
    """
    _cancel_on_signals()
    person = await in_thread(make_person, "bench")
    stage = replace(stage, token=person.token)
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


def steps(wanted: Collection[str]) -> int:
    """Return the number of measurements for the wanted rows."""
    return sum(any(row.key in wanted for row in rows) for rows in ROWS.values()) + (TABLE in wanted)


def _cancel_on_signals() -> None:
    """Cancel the task on signals: an exception in a signal handler would break the event loop."""
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def _measured(measure: Measure, stage: Stage, keys: list[str]) -> Found:
    try:
        return await measure(stage, keys)
    except BenchError as exc:
        problem = exc
    except Exception as exc:  # noqa: BLE001 - the other rows must still be measured
        traceback.print_exc(file=sys.stderr)
        problem = BenchError(f"{type(exc).__name__}: {exc}")
    return dict.fromkeys(keys, problem)
