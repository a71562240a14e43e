"""From command to screen through the real processes: what a newcomer is promised."""

import asyncio
import statistics
import time
from datetime import timedelta

import httpx
import pytest
from channels.db import database_sync_to_async

from identity.tests.factories import bearer, person
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.tests.stack import Stack
from rooms.tests.factories import room

NOON_TOMORROW = SYSTEM_CLOCK.now().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(
    days=1
)
BOOKINGS = 100


def slot(n: int, minutes: int = 15) -> dict[str, str]:
    start = NOON_TOMORROW + timedelta(minutes=minutes * n)
    end = start + timedelta(minutes=minutes)
    return {"starts_at": start.isoformat(), "ends_at": end.isoformat()}


@database_sync_to_async
def prepared():
    return room("Dogger"), bearer(person("Ann"))


async def test_bookings__a_hundred_over_http__are_a_hundred_contiguous_frames(stack: Stack):
    dogger, headers = await prepared()
    follower = stack.socket(additional_headers=headers)
    async with follower as live, httpx.AsyncClient(base_url=stack.url) as http:
        async with asyncio.timeout(10):
            while not (await _known(live, dogger)):
                await asyncio.sleep(0.05)
        first = live.rooms[str(dogger.uuid)]["version"]
        delays, versions = [], []
        for n in range(BOOKINGS):
            body = {"room": str(dogger.uuid), **slot(n)}
            answer = await http.post("/api/v1/bookings", json=body, headers=headers)
            committed = time.monotonic()
            assert answer.status_code == 201
            async with asyncio.timeout(5):
                versions.append((await live.next("room"))["room"]["version"])
            delays.append((time.monotonic() - committed) * 1000)
    assert versions == list(range(first + 1, first + 1 + BOOKINGS))
    p50, p99 = statistics.median(delays), sorted(delays)[98]
    print(f"commit to frame over {BOOKINGS} bookings: p50 {p50:.1f} ms, p99 {p99:.1f} ms")


async def _known(live, dogger) -> bool:
    """Follow the room until the worker has projected it for the first time."""
    await live.send(type="subscribe", topic="campus")
    frame = await live.receive()
    if frame["type"] == "error":
        await asyncio.sleep(0.2)
    return str(dogger.uuid) in live.rooms


async def test_boundary__nothing_written__flips_within_a_second(stack: Stack):
    dogger, headers = await prepared()
    starts = SYSTEM_CLOCK.now() + timedelta(seconds=3)
    async with httpx.AsyncClient(base_url=stack.url) as http:
        times = {
            "starts_at": starts.isoformat(),
            "ends_at": (starts + timedelta(hours=1)).isoformat(),
        }
        body = {"room": str(dogger.uuid), **times}
        assert (await http.post("/api/v1/bookings", json=body, headers=headers)).status_code == 201
    async with stack.socket(additional_headers=headers) as live:
        async with asyncio.timeout(10):
            while not await _known(live, dogger):
                pass
            while live.rooms[str(dogger.uuid)]["status"] == "free":
                await live.next("room")
        late = (SYSTEM_CLOCK.now() - starts).total_seconds()
    assert live.rooms[str(dogger.uuid)]["status"] == "reserved"
    assert 0 <= late < 1
    print(f"flipped {late * 1000:.0f} ms after the instant")


async def test_sockets__three_hundred_at_once__none_refused_and_idle_ones_stay(stack: Stack):
    async def hold(n: int, ready: asyncio.Barrier) -> bool:
        async with stack.socket() as live:
            await ready.wait()
            await asyncio.sleep(30 if n < 5 else 0)
            await live.send(type="ping", t=n)
            return (await live.next("pong"))["t"] == n

    async with asyncio.timeout(55):
        ready = asyncio.Barrier(300)
        assert all(await asyncio.gather(*(hold(n, ready) for n in range(300))))


@pytest.mark.parametrize("round_", range(20))
async def test_race__fifty_clients_one_slot__one_wins(round_: int, shared_stack: Stack):
    dogger, headers = await prepared()
    async with httpx.AsyncClient(base_url=shared_stack.url, timeout=30) as http:
        body = {"room": str(dogger.uuid), **slot(round_)}
        posts = [http.post("/api/v1/bookings", json=body, headers=headers) for _ in range(50)]
        answers = await asyncio.gather(*posts)
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] + [409] * 49
    refusal = next(a.json() for a in answers if a.status_code == 409)
    assert refusal["code"] == "slot_taken"
    assert refusal["taken"][0]["starts_at"] == slot(round_)["starts_at"]
    assert refusal["alternatives"]


async def test_key__ten_in_parallel__one_booking_one_body(shared_stack: Stack):
    dogger, headers = await prepared()
    headers["Idempotency-Key"] = "click"
    async with httpx.AsyncClient(base_url=shared_stack.url, timeout=30) as http:
        body = {"room": str(dogger.uuid), **slot(0)}
        posts = [http.post("/api/v1/bookings", json=body, headers=headers) for _ in range(10)]
        answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
