"""The board page: served by the product, and rendered by Django's template for every request."""

from collections.abc import Collection

import httpx

from infra.bench.children import Child
from infra.bench.contenders import PRODUCT, Contender, daphne
from infra.bench.estate import Estate
from infra.bench.goals import BenchError, Found, Measured, times
from infra.bench.places import make_building, remove_building
from infra.bench.stage import Stage
from realtime.threads import in_thread

BUILDING = "bench-board"
WARM_UPS = 20
TIMEOUT_S = 20.0


async def measure(stage: Stage, wanted: Collection[str]) -> Found:  # noqa: ARG001 - one row
    """Return how many times cheaper a request of the product is, by the least CPU time."""
    plan, estate = stage.plan, Estate(stage.plan.board_rooms, BUILDING)
    await in_thread(make_building, BUILDING, plan.board_rooms)
    rendered = Contender("rendered board", _rendered, PRODUCT.open_feed)
    taken: dict[str, list[float]] = {PRODUCT.name: [], rendered.name: []}
    try:
        async with PRODUCT.open_feed(stage, estate):
            for number in range(plan.rounds):
                for contender in (PRODUCT, rendered):
                    stage.report(f"{contender.name}, round {number + 1}")
                    taken[contender.name].append(await _cost_us(stage, contender))
    finally:
        await in_thread(remove_building, BUILDING)
    own, every_time = (min(costs) for costs in taken.values())
    detail = f"product {own:.0f} µs, template each time {every_time:.0f} µs a request"
    return {"board": Measured(times(every_time, own), detail)}


def _rendered(_stage: Stage, port: int) -> list[str]:
    return daphne("infra.bench.peers.rendered:application", port)


async def _cost_us(stage: Stage, contender: Contender) -> float:
    async with contender.running(stage) as (server, port):
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, timeout=TIMEOUT_S) as http:
            await _get(http, WARM_UPS, stage.plan.board_rooms)
            cpu_s = server.cpu_s
            await _get(http, stage.plan.board_requests, stage.plan.board_rooms)
            return _per_request(server, cpu_s, stage.plan.board_requests)


async def _get(http: httpx.AsyncClient, times: int, rooms: int) -> None:
    for _ in range(times):
        answer = await http.get(f"/board/{BUILDING}")
        shown = answer.text.count('<li id="room-')
        if answer.status_code != httpx.codes.OK or shown != rooms:
            raise BenchError(f"The board answered {answer.status_code} with {shown} rooms.")


def _per_request(server: Child, cpu_s: float, requests: int) -> float:
    return (server.cpu_s - cpu_s) / requests * 1e6
