"""Two hundred clients book one slot while other processes use every core: one succeeds."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from channels.db import database_sync_to_async

from identity.tests.factories import bearer, person
from meeting_rooms.tests.acceptance.test_live_acceptance import slot
from meeting_rooms.tests.stack import Process, Stack
from rooms.tests.factories import room, rooms

CLIENTS = 200
BUSY_LOOPS = 2
# Seconds. Not a measure of speed: the limit only ends a test whose server hangs. The server's own
# limit is 60 s.
PATIENCE_S = 240


@pytest.fixture
def _busy_loops(tmp_path: Path) -> Iterator[None]:
    loops = [
        Process(["-c", "while True: pass"], tmp_path / "busy.log", os.environ)
        for _ in range(BUSY_LOOPS)
    ]
    try:
        yield
        assert all(loop.is_alive for loop in loops)
    finally:
        for loop in loops:
            loop.kill()


@database_sync_to_async
def _prepared():
    dogger = room("Dogger")
    rooms(20, on=dogger.floor)  # other rooms as alternatives
    return dogger, bearer(person("Ann"))


async def _post(stack: Stack, bodies: list[dict[str, str]], headers) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=stack.url, timeout=PATIENCE_S, limits=limits) as http:
        posts = [http.post("/api/v1/bookings", json=body, headers=headers) for body in bodies]
        return await asyncio.gather(*posts)


@pytest.mark.timeout(PATIENCE_S + 60)
@pytest.mark.usefixtures("_busy_loops")
async def test_one_slot__wanted_by_two_hundred_on_a_busy_machine__one_wins_and_none_fails(
    shared_stack: Stack,
):
    dogger, headers = await _prepared()
    body = {"room": str(dogger.uuid), **slot(0)}
    answers = await _post(shared_stack, [body] * CLIENTS, headers)
    counted = Counter(answer.status_code for answer in answers)
    assert counted == {201: 1, 409: CLIENTS - 1}, shared_stack.web.output[-3000:]
    refusals = [answer.json() for answer in answers if answer.status_code == 409]
    assert {refusal["code"] for refusal in refusals} == {"slot_taken"}
    assert all(refusal["alternatives"] for refusal in refusals)


@pytest.mark.timeout(PATIENCE_S + 60)
@pytest.mark.usefixtures("_busy_loops")
async def test_slots_of_one_room__wanted_by_one_client_each_on_a_busy_machine__are_all_booked(
    shared_stack: Stack,
):
    """Each client may lose races for the version of the room, and must still succeed."""
    dogger, headers = await _prepared()
    bodies = [{"room": str(dogger.uuid), **slot(number)} for number in range(CLIENTS)]
    answers = await _post(shared_stack, bodies, headers)
    counted = Counter(answer.status_code for answer in answers)
    assert counted == {201: CLIENTS}, shared_stack.web.output[-3000:]
