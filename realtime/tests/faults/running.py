"""One run of a row on running servers, from its own databases to its outcome."""

import asyncio
from pathlib import Path

import psycopg

from realtime.tests.faults.matrix import NO_GUARD, Guard, Outcome, Row
from realtime.tests.faults.processes import TEMPLATE, Starter, start_cold
from realtime.tests.faults.servers import POSTGRES, Servers

ROW_LIMIT_S = 240.0


def make_template(servers: Servers) -> None:
    """Create the database, without tables, from which the databases of the rows are copied."""
    with psycopg.connect(servers.urls[POSTGRES], autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")
        admin.execute(f"CREATE DATABASE {TEMPLATE}")


async def outcome_of(
    row: Row,
    servers: Servers,
    folder: Path,
    *,
    off: Guard = NO_GUARD,
    limit_s: float = ROW_LIMIT_S,
    start: Starter = start_cold,
    is_short: bool = False,
) -> Outcome:
    """Run the row in an existing folder. An error of the run is a part of its outcome."""
    from realtime.tests.faults.fault_env import lab  # reads the settings

    outcome = Outcome()
    stage = lab(servers, folder, off, row.rooms, start=start, is_short=is_short)
    try:
        async with asyncio.timeout(limit_s), stage as it:
            outcome = it.outcome
            await row.measure(it)
    except Exception as exc:  # noqa: BLE001 - the row failed; the others are still wanted
        outcome.error = f"{type(exc).__name__}: {exc}"
    return outcome
