"""The time of one REST answer with a day of all rooms, as a calendar page requests it."""

import statistics
import time
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

import httpx
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from booking.models import Booking
from infra.bench.contenders import PRODUCT
from infra.bench.goals import BenchError, Found
from infra.bench.places import make_building, remove_building
from infra.bench.references import RAW_DAY
from infra.bench.stage import Stage
from infra.bench.turns import Side, compared
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.threads import in_thread

BUILDING = "bench-day"
FIRST_HOUR = 7  # UTC; all bookings are within the local day of the building
WARM_UPS = 3
TIMEOUT_S = 20.0


async def measure(stage: Stage, wanted: Collection[str]) -> Found:  # noqa: ARG001 - one row
    """Return the ratio of the time of an answer to the time of one raw query and `orjson`.

    The time from the request to the last byte, on loopback. Requests alternate between the servers,
    so that other load affects both. The median request of the median round counts.
    """
    plan = stage.plan
    stage.report(f"{plan.day_rooms} rooms with {plan.day_bookings} bookings each")
    day = await in_thread(_fill, plan.day_rooms, plan.day_bookings)
    try:
        rounds = [await _round(stage, day, number) for number in range(plan.rounds)]
    finally:
        await in_thread(_remove)
    own, raw = zip(*rounds, strict=True)
    product, reference = Side(PRODUCT.name, own), Side(RAW_DAY.name, raw)
    return {"day-view": compared(product, reference, "ms", statistics.median)}


async def _round(stage: Stage, day: date, number: int) -> tuple[float, float]:
    """Return the median times of an answer in ms, of the product and of the reference."""
    requests = stage.plan.day_requests
    stage.report(f"{requests} requests of a day, round {number + 1}")
    async with (
        PRODUCT.running(stage) as (_, port),
        RAW_DAY.running(stage) as (_, raw_port),
        httpx.AsyncClient(timeout=TIMEOUT_S) as http,
    ):
        taken: list[tuple[float, float]] = []
        for _ in range(WARM_UPS + requests):
            own = await _taken_ms(stage, http, port, day)
            taken.append((own, await _taken_ms(stage, http, raw_port, day)))
    owns, raws = zip(*taken[WARM_UPS:], strict=True)
    return statistics.median(owns), statistics.median(raws)


async def _taken_ms(stage: Stage, http: httpx.AsyncClient, port: int, day: date) -> float:
    url = f"http://127.0.0.1:{port}/api/v1/days/{day}?building={BUILDING}"
    begun = time.perf_counter()
    answer = await http.get(url, headers={"Authorization": f"Bearer {stage.token}"})
    taken_ms = (time.perf_counter() - begun) * 1000
    _require_all(answer, stage.plan.day_rooms * stage.plan.day_bookings)
    return taken_ms


def _require_all(answer: httpx.Response, bookings: int) -> None:
    if answer.status_code != httpx.codes.OK:
        raise BenchError(f"The day view answered {answer.status_code}: {answer.text[:200]}")
    shown = sum(len(room["bookings"]) for room in answer.json()["rooms"])
    if shown != bookings:
        raise BenchError(f"The day has {shown} bookings instead of {bookings}.")


def _fill(rooms: int, bookings: int) -> date:
    """Store the bookings without the command, because only reading is measured."""
    now = SYSTEM_CLOCK.now()
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    begin = datetime(tomorrow.year, tomorrow.month, tomorrow.day, FIRST_HOUR, tzinfo=UTC)
    starts = [begin + timedelta(hours=number) for number in range(bookings)]
    Booking.objects.bulk_create(
        Booking(
            room=room,
            during=DateTimeTZRange(start, start + timedelta(hours=1), "[)"),
            local_start=start.replace(tzinfo=None).isoformat(),
            local_end=(start + timedelta(hours=1)).replace(tzinfo=None).isoformat(),
            title="Retro",
            organizer_name="Ann",
            state="confirmed",
            created_at=now,
        )
        for room in make_building(BUILDING, rooms)
        for start in starts
    )
    with connection.cursor() as cursor:  # else the query plan changes after an autovacuum
        cursor.execute("ANALYZE")
    return tomorrow


def _remove() -> None:
    Booking.objects.filter(room__floor__building__slug=BUILDING).delete()
    remove_building(BUILDING)
