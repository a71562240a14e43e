"""Sockets and processes end on purpose: announced, and without a failed request."""

import asyncio
import json
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from channels.db import database_sync_to_async

from identity.tests.factories import bearer, person
from meeting_rooms.tests.acceptance.test_live_acceptance import slot
from meeting_rooms.tests.acceptance.test_socket_contract import closed
from meeting_rooms.tests.stack import PATIENCE_S, LiveClient, Stack
from rooms.tests.factories import room

SOCKETS = 12


@pytest.fixture
def draining(transactional_db, tmp_path: Path) -> Iterator[Stack]:
    """Run a web process that drains for 3 s."""
    running = Stack(tmp_path, {"DRAIN_NOTICE_S": "1", "DRAIN_SPREAD_S": "2", "LOG_LEVEL": "INFO"})
    try:
        running.start_web()
        yield running
    finally:
        running.stop()


@database_sync_to_async
def prepared():
    return room("Dogger"), bearer(person())


async def ended(live: LiveClient) -> tuple[int, dict]:
    code, frames = await closed(live)
    return code, frames[-1]


def logged(stack: Stack, event: str) -> dict:
    """Return the log entry of the web process for an event."""
    entries = (entry for entry in stack.web.output.splitlines() if entry.startswith("{"))
    return next(entry for entry in map(json.loads, entries) if entry["event"] == event)


async def test_sigterm__open_sockets__close_one_after_another_and_requests_finish(draining: Stack):
    dogger, headers = await prepared()
    held = [draining.socket() for _ in range(SOCKETS)]
    async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient(base_url=draining.url) as http:
        ends = [asyncio.create_task(ended(await one.__aenter__())) for one in held]
        draining.web.signal(signal.SIGTERM)
        answers = []
        while (ready := await http.get("/readyz")).status_code == 200:
            await asyncio.sleep(0.02)
        assert ready.json() == {"status": "draining"}
        for n in range(5):
            body = {"room": str(dogger.uuid), **slot(n)}
            answers.append(await http.post("/api/v1/bookings", json=body, headers=headers))
        results = await asyncio.gather(*ends)
    assert draining.web.wait(PATIENCE_S) == 0
    assert [a.status_code for a in answers] == [201] * 5
    assert {code for code, _ in results} == {1012}
    assert {frame["type"] for _, frame in results} == {"bye"}
    started, done = (logged(draining, event) for event in ("drain_started", "drain_done"))
    assert (started["sockets"], started["spread_s"]) == (SOCKETS, 2.0)
    took = datetime.fromisoformat(done["timestamp"]) - datetime.fromisoformat(started["timestamp"])
    assert took.total_seconds() > 1.5, "spread, so that they do not all arrive at once"


async def test_sigint__open_socket__gets_bye_at_once(draining: Stack):
    async with asyncio.timeout(PATIENCE_S), draining.socket() as live:
        draining.web.signal(signal.SIGINT)
        code, frame = await ended(live)
    assert (code, frame["type"], frame["reason"]) == (1012, "bye", "restart")
    assert draining.web.wait(PATIENCE_S) == 0
    assert logged(draining, "drain_started")["spread_s"] == 0


async def test_socket__maximum_age__is_recycled(transactional_db, tmp_path: Path):
    running = Stack(tmp_path, {"SOCKET_MAX_AGE_S": "2"})
    try:
        running.start_web()
        async with asyncio.timeout(PATIENCE_S), running.socket() as live:
            code, frame = await ended(live)
    finally:
        running.stop()
    assert (code, frame["type"], frame["reason"]) == (1012, "bye", "recycle")


@pytest.mark.parametrize(
    "other,fault",
    [
        ("twisted", "dataBuffer has moved"),
        ("autobahn", "the client received other bytes than those sent"),
    ],
)
async def test_self_test__unexpected_library__uses_plain_asgi_send(
    transactional_db, tmp_path: Path, other: str, fault: str
):
    running = Stack(tmp_path, {"LOG_LEVEL": "INFO"})
    try:
        running.start_web(
            ["-m", "meeting_rooms.tests.acceptance.other_twisted", str(running.port), other]
        )
        async with asyncio.timeout(PATIENCE_S), running.socket() as live:
            await live.send(type="ping", t=1)
            assert (await live.next("pong"))["t"] == 1
    finally:
        running.stop()
    assert '"path": "asgi"' in running.web.output
    assert fault in running.web.output
