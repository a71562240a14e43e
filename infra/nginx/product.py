"""Test pages, bookings and sockets behind nginx while web processes end and start.

Import after Django is set up.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from uuid import uuid4

import httpx
from websockets.typing import Origin

from infra.bench.children import Child, free_port, listening
from infra.bench.places import make_building, make_person
from infra.bench.stage import Stage
from infra.nginx.rendered import HOST, NginxError, running
from infra.nginx.screens import Screen
from infra.nginx.webs import Web
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.threads import in_thread
from rooms.models import Room

SCREENS = 40
BACK_WITHIN_S = 5.0  # a screen must be live again after this time
SETTLE_S = 30.0  # the longest wait for a condition
POLL_S = 0.05
PACE_S = 0.01  # between two bookings
BOOKINGS = 60  # the least number during each event


@dataclass(slots=True)
class Site:
    """Two web processes and a worker behind nginx, and the counted answers."""

    stage: Stage
    room: Room
    token: str
    http: int = field(default_factory=free_port)
    https: int = field(default_factory=free_port)
    ports: list[int] = field(default_factory=lambda: [free_port(), free_port()])
    answers: Counter[int] = field(default_factory=Counter)
    slots: "count[int]" = field(default_factory=count)

    @property
    def origin(self) -> Origin:
        """The origin of the site."""
        return Origin(f"https://{HOST}:{self.https}")

    @property
    def tls(self) -> ssl.SSLContext:
        """A TLS context that trusts the certificate of the site."""
        return ssl.create_default_context(cafile=self.stage.folder / "nginx" / "site.pem")

    def worker(self) -> Child:
        """Start a worker."""
        log = self.stage.folder / "worker.log"
        return Child("worker", self.stage.manage("worker"), self.stage.environment, log)

    async def book(self, client: httpx.AsyncClient) -> None:
        """Book the next quarter of an hour once, and count the status code; 0: no answer."""
        start = SYSTEM_CLOCK.now().replace(minute=0, second=0, microsecond=0)
        start += timedelta(days=1) + next(self.slots) * timedelta(minutes=15)
        body = {"room": str(self.room.uuid), "starts_at": start.isoformat(),
                "ends_at": (start + timedelta(minutes=15)).isoformat()}  # fmt: skip
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(uuid4())}
        try:
            answer = await client.post("/api/v1/bookings", json=body, headers=headers)
        except httpx.TransportError:
            self.answers[0] += 1
        else:
            self.answers[answer.status_code] += 1


async def prove(stage: Stage) -> None:
    """Raise NginxError if the site fails, also while a process is killed or replaced."""
    person = await in_thread(make_person, "nginx")
    [room] = await in_thread(make_building, "harbour", 1)
    site = Site(stage, room, person.token)
    async with AsyncExitStack() as stack:
        webs = [await stack.enter_async_context(_web(site, n)) for n in range(len(site.ports))]
        worker = site.worker()
        stack.push_async_callback(asyncio.to_thread, worker.end)
        nginx = running(
            stage.folder / "nginx", http=site.http, https=site.https, servers=site.ports
        )
        await stack.enter_async_context(listening(stack.enter_context(nginx), site.https))
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=site.origin, verify=site.tls)
        )
        await _pages(site, client)
        screens = await stack.enter_async_context(_screens(site))
        await _live(screens)
        print(f"{SCREENS} screens live, sockets by process: {[web.sockets for web in webs]}")
        async with _booking(site, client, may_fail=1):
            lost = webs[0].sockets
            webs[0].kill()
            await _all_back(screens, lost, "kill -9 of a web process")
        webs[0] = await stack.enter_async_context(_web(site, 0))
        async with _booking(site, client, may_fail=0):
            lost = webs[1].sockets
            webs[1].drain()
            await _all_back(screens, lost, "SIGTERM to the other process, with the first one back")
            await _until(lambda: webs[1].has_ended)
        await _agree(site, client, screens)


@asynccontextmanager
async def _web(site: Site, n: int) -> AsyncIterator[Web]:
    """Start a web process, and wait until it accepts connections."""
    web = Web(site.stage, site.ports[n])
    async with listening(web, web.port):
        yield web


async def _pages(site: Site, client: httpx.AsyncClient) -> None:
    expected = {"/": 200, "/readyz": 200, "/board/harbour": 200, "/metrics": 404}
    found = {path: (await client.get(path)).status_code for path in expected}
    _require(found == expected, f"pages answer {found}")
    plain = await client.get(f"http://{HOST}:{site.http}/", headers={"X-Forwarded-Proto": "https"})
    _require(plain.status_code == 301, f"plain HTTP is answered {plain.status_code}")
    print(f"pages: {found}; plain HTTP that claims to be HTTPS: 301")


@asynccontextmanager
async def _screens(site: Site) -> AsyncIterator[list[Screen]]:
    url = f"wss://{HOST}:{site.https}/ws/v1/live"
    screens = [
        Screen(url, site.origin, "building:harbour", site.token, site.tls) for _ in range(SCREENS)
    ]
    tasks = [asyncio.create_task(screen.run(), name="screen") for screen in screens]
    try:
        yield screens
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _booking(site: Site, client: httpx.AsyncClient, *, may_fail: int) -> AsyncIterator[None]:
    """Book continuously. Raises NginxError if more than `may_fail` bookings fail."""

    async def keep_on() -> None:
        while True:
            await site.book(client)
            await asyncio.sleep(PACE_S)

    site.answers.clear()
    task = asyncio.create_task(keep_on(), name="booking")
    try:
        yield
        await _until(lambda: site.answers.total() >= BOOKINGS)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    failed = site.answers.total() - site.answers[201]
    print(f"bookings during the event, by status code: {dict(site.answers)}")
    _require(failed <= may_fail, f"{failed} bookings failed")


async def _live(screens: list[Screen]) -> None:
    await _until(lambda: all(screen.is_live and screen.versions for screen in screens))


async def _all_back(screens: list[Screen], lost: int, after: str) -> None:
    """Wait until `lost` screens have reconnected. Raises NginxError if one is too slow."""
    for screen in screens:
        screen.gaps.clear()
    await _until(lambda: sum(bool(screen.gaps) for screen in screens) >= lost)
    await _live(screens)
    gaps = [gap for screen in screens for gap in screen.gaps]
    print(f"{after}: {lost} sockets lost, all live again, the last after {max(gaps):.1f} s")
    _require(max(gaps) <= BACK_WITHIN_S, f"a screen was away for {max(gaps):.1f} s after {after}")
    _require(len(gaps) == lost, f"{len(gaps)} losses of {lost} sockets after {after}")


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(SETTLE_S):
        while not is_so():
            await asyncio.sleep(POLL_S)


async def _agree(site: Site, client: httpx.AsyncClient, screens: list[Screen]) -> None:
    """Book again: every screen must get the new version, and no version may decrease."""
    before = max(screen.versions[-1] for screen in screens)
    await site.book(client)
    await _until(lambda: all(screen.versions[-1] > before for screen in screens))
    rising = all(screen.versions == sorted(screen.versions) for screen in screens)
    _require(rising, "a screen received an older version after a newer one")
    print(f"a last booking: version {before + 1} on all {SCREENS} screens, no version decreased")


def _require(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise NginxError(f"The site behind nginx failed a test: {otherwise}.")
