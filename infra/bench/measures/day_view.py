"""The time of one REST answer with a day of all rooms, as a calendar page requests it."""

import statistics
import time
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

import httpx
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from booking.models import Booking
from infra.bench.contenders import PRODUCT
from infra.bench.goals import BenchError, Found, Measured
from infra.bench.places import make_building, remove_building
from infra.bench.stage import Stage
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.threads import in_thread

BUILDING = "bench-day"
FIRST_HOUR = 7  # UTC; all bookings are within the local day of the building
WARM_UPS = 3
TIMEOUT_S = 20.0


async def measure(stage: Stage, wanted: Collection[str]) -> Found:  # noqa: ARG001 - one row
    """Return the median time of an answer, from the request to its last byte, on loopback."""
    plan = stage.plan
    stage.report(f"{plan.day_rooms} rooms with {plan.day_bookings} bookings each")
    day = await in_thread(_fill, plan.day_rooms, plan.day_bookings)
    try:
        async with PRODUCT.running(stage) as (_server, port):
            taken_ms = await _taken_ms(stage, port, day)
    finally:
        await in_thread(_remove)
    detail = f"from {min(taken_ms):.0f} to {max(taken_ms):.0f} ms in {len(taken_ms)} requests"
    return {"day-view": Measured(statistics.median(taken_ms), detail)}


async def _taken_ms(stage: Stage, port: int, day: date) -> list[float]:
    plan = stage.plan
    taken = []
    headers = {"Authorization": f"Bearer {stage.token}"}
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=TIMEOUT_S) as http:
        for _ in range(WARM_UPS + plan.day_requests):
            begun = time.perf_counter()
            answer = await http.get(f"/api/v1/days/{day}", params={"building": BUILDING})
            taken.append((time.perf_counter() - begun) * 1000)
            _require_all(answer, plan.day_rooms * plan.day_bookings)
    return taken[WARM_UPS:]


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
    return tomorrow


def _remove() -> None:
    Booking.objects.filter(room__floor__building__slug=BUILDING).delete()
    remove_building(BUILDING)
