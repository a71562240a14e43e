"""Sockets and bookings come and go for a long time, and no resource may grow (F36)."""

import asyncio
import json
import os
import random
import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import monotonic

import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from realtime.tests.faults.booking_client import SLOT, now
from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, Sized, row
from realtime.tests.faults.measuring import HEALED_WITHIN_S

WARM_SHARE = 0.3  # share of the time that is not measured
COMPARED_SHARE = 0.25  # share of the measured time: its first part is compared with its last
SAMPLE_S = Sized(2.0, 0.5)
SHORT_S = 2.0
FLAT = 0.10
FEW = {"fds": 4, "connections": 4, "keys": 2, "sockets": 4}  # allowed growth of a small number
VISITORS = 6  # tasks that open and close sockets
STAY_S = (0.1, 1.5)
VISITS_CUT = 0.3  # share of the visits that end without a close frame
BOOKINGS_KEPT = 60
BOOKING_PAUSE_S = 0.25
READINGS_PER_S = 5
SLOTS = 40  # slots of tomorrow, in each room
GAUGE = re.compile(r"^meeting_rooms_live_connections\S* (\S+)$", re.MULTILINE)


class Churn:
    """Sockets and bookings that come and go until the churn is stopped."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._chance = random.Random(36)
        self.visits = self.bookings = self.failed = 0
        self._tasks = [asyncio.create_task(self._book())]
        self._tasks += [asyncio.create_task(self._visit()) for _ in range(VISITORS)]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        broken = [t.exception() for t in self._tasks if not t.cancelled()]
        if broken:
            raise AssertionError(f"the churn ended early: {broken[0]!r}")

    async def _visit(self) -> None:
        lab = self._lab
        topics = ["building:house", f"room:{lab.rooms[0]}", "floor:ground", "campus"]
        while True:
            with suppress(OSError, TimeoutError, WebSocketException):
                headers = lab.headers if self._chance.random() < 0.5 else {}
                async with connect(
                    f"ws://127.0.0.1:{lab.port}/ws/v1/live", origin=lab.url, proxy=None,
                    additional_headers=headers, ping_interval=None, close_timeout=2,
                ) as raw:  # fmt: skip
                    topic = self._chance.choice(topics)
                    await raw.send(json.dumps({"type": "subscribe", "topic": topic}))
                    with suppress(TimeoutError):
                        async with asyncio.timeout(self._chance.uniform(*STAY_S)):
                            while True:
                                await raw.recv()
                    self.visits += 1
                    if self._chance.random() < VISITS_CUT:
                        raw.transport.abort()

    async def _book(self) -> None:
        lab, live = self._lab, []
        noon = now().replace(hour=6, minute=0, second=0, microsecond=0) + timedelta(days=1)
        taken: set[tuple[str, int]] = set()
        while True:
            room, slot = self._chance.choice(lab.rooms), self._chance.randrange(SLOTS)
            if (room, slot) not in taken:
                answer = await lab.booker.book(room, start=noon + slot * SLOT)
                self.bookings += 1
                self.failed += answer.status != 201
                if answer.status == 201:
                    taken.add((room, slot))
                    live.append((room, slot, lab.booker.acknowledged.pop()))
            if len(live) > BOOKINGS_KEPT:
                room, slot, given = live.pop(0)
                self.failed += await lab.booker.cancel(given.booking) != 200
                taken.discard((room, slot))
            await asyncio.sleep(BOOKING_PAUSE_S)


def live_sockets(metrics_file: Path) -> float:
    """Return the number of sockets in the metrics of the web process."""
    return sum(map(float, GAUGE.findall(metrics_file.read_text())))


async def sample(lab: Lab, metrics_file: Path) -> dict[str, float]:
    """Return the current value of each resource that must not grow."""
    web, worker = psutil.Process(lab.web.pid), psutil.Process(lab.worker.pid)
    keys = await lab.redis_command("DBSIZE")
    clients = await lab.redis_command("CLIENT", "LIST")
    rows = await lab.truth.query(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    return {
        "web MB": web.memory_info().rss / 1e6,
        "worker MB": worker.memory_info().rss / 1e6,
        "web fds": web.num_fds(),
        "worker fds": worker.num_fds(),
        "Redis keys": keys,
        "Redis connections": len(clients.splitlines()),
        "Postgres connections": rows[0][0],
        "live sockets": live_sockets(metrics_file),
    }


def claim_flat(lab: Lab, samples: list[dict[str, float]]) -> None:
    """Claim for each measure that its median has not grown from the first to the last part."""
    part = max(1, int(len(samples) * COMPARED_SHARE))
    for name in samples[0]:
        first = median(s[name] for s in samples[:part])
        last = median(s[name] for s in samples[-part:])
        few = FEW.get(name.split()[-1], 0)
        is_flat = last - first <= max(FLAT * first, few)
        lab.claim(name, is_flat, f"{first:.0f} → {last:.0f}")


@row(
    "F36",
    "churn: sockets open and close, bookings come and go, sensors count",
    "after a warm-up memory, files, Redis keys and connections grow by less than 10 %",
    Guard("leaving everything when a socket closes", web=("leave_off",)),
    rooms=Sized(20, 6),
)
async def soak(lab: Lab) -> None:
    seconds = lab.size(Sized(float(os.environ.get("FAULTS_SOAK_MINUTES", "20")) * 60, SHORT_S))
    metrics_file = lab.reached.with_name("counts")
    lab.start_worker()
    await lab.start_web(f"tell_counts={metrics_file}")
    lab.workers.insert(0, lab.run("sensors", str(READINGS_PER_S)))
    lab.follow(4)
    await lab.until(20, lab.all_live, "clients did not come up")
    churn = Churn(lab)
    try:
        await asyncio.sleep(seconds * WARM_SHARE)
        samples = []
        until = monotonic() + seconds * (1 - WARM_SHARE)
        while monotonic() < until:
            samples.append(await sample(lab, metrics_file))
            await asyncio.sleep(lab.size(SAMPLE_S))
    finally:
        await churn.stop()
    assert lab.workers[0].is_alive, lab.workers[0].output[-1000:]
    lab.workers[0].kill()
    lab.claim("visits", churn.visits > lab.size(Sized(seconds, 0.0)), f"{churn.visits}")
    failed_text = f"{churn.failed} of {churn.bookings} failed"
    lab.claim(
        "bookings", not churn.failed and churn.bookings > lab.size(Sized(seconds, 0.0)), failed_text
    )
    if not lab.is_short:  # too short for a warm-up
        claim_flat(lab, samples)
    lab.booker.acknowledged.clear()
    await lab.settles("screens right")
    await lab.within(HEALED_WITHIN_S, "live", lab.all_live)
    await lab.judge()
