"""`python -m infra.costs [name …]`: measure the unit costs that docs/scaling.md uses.

The costs are CPU time, not wall time, so other load changes them little. All measurements take
about six minutes: fan_out, connections, rooms, through_nginx, redis, mongodb, bookings and flips.
Exit codes: 0: all were measured. 1: a measurement failed.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

import django

from infra.bench.children import raise_file_limit
from infra.bench.goals import BenchError
from infra.bench.plan import Plan
from infra.bench.stage import Stage, open_stage
from infra.costs.meters import Cost
from infra.nginx.rendered import NginxError

ENOUGH = "100000"  # more than any measurement opens
MANY = {
    "MAX_CONNECTIONS": ENOUGH,
    "MAX_CONNECTIONS_PER_PERSON": ENOUGH,
    "MAX_CONNECTIONS_PER_ADDRESS": ENOUGH,
}


def main(names: Sequence[str]) -> int:
    """Run the named measurements, or all, and print one line per cost; return the exit code."""
    raise_file_limit()
    try:
        with open_stage(Plan(rounds=1), _say) as stage:
            stage.environment.update(MANY)
            os.environ.update(stage.environment)
            django.setup()
            asyncio.run(_measure(stage, names))
    except (BenchError, NginxError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


async def _measure(stage: Stage, names: Sequence[str]) -> None:
    from infra.bench.places import make_person  # models can be loaded only now
    from infra.costs import flips, stores, web
    from realtime.threads import in_thread

    person = await in_thread(make_person, "costs")
    stage = replace(stage, token=person.token)
    measures: dict[str, Callable[[Stage], Awaitable[list[Cost]]]] = {
        "fan_out": web.fan_out,
        "connections": web.connections,
        "rooms": web.rooms,
        "through_nginx": web.through_nginx,
        "redis": stores.redis,
        "mongodb": stores.mongodb,
        "bookings": partial(stores.bookings, actor=person.actor),
        "flips": partial(flips.flips, actor=person.actor),
    }
    if unknown := set(names) - measures.keys():
        raise BenchError(
            f"No such measurement: {', '.join(unknown)}. Known: {', '.join(measures)}."
        )
    for name, measure in measures.items():
        if not names or name in names:
            _print(await measure(stage))


def _print(costs: list[Cost]) -> None:
    for cost in costs:
        print(f"{cost.what:<42} {cost.value:>10,.1f} {cost.unit:<6} {cost.how}", flush=True)


def _say(step: str) -> None:
    sys.stderr.write(f"{step}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
