"""Test the headers and retries of nginx with stand-ins for web processes."""

import asyncio
import ssl
from collections import Counter
from pathlib import Path

import httpx

from infra.bench.children import free_port, listening
from infra.nginx.rendered import HOST, NginxError, running
from infra.nginx.stand_ins import stand_in

REQUESTS = 8
RETURN_LIMIT_S, PAUSE_S = 10.0, 0.05
CLAIMS = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "X-Real-IP": "6.6.6.6",
    "Forwarded": "for=6.6.6.6",
    "Upgrade": "h2c",
    "Connection": "Upgrade, HTTP2-Settings",
}
OVERWRITTEN = {"x-forwarded-for": HOST, "x-forwarded-proto": "https", "connection": "close"}
REMOVED = ("x-forwarded-host", "x-real-ip", "forwarded", "upgrade")


async def prove(folder: Path) -> None:
    """Raise NginxError if client headers reach a process or a POST is sent twice."""
    http, https = free_port(), free_port()
    with (
        stand_in(is_mute=False) as (echo, echoed),
        stand_in(is_mute=True) as (mute, swallowed),
        running(folder / "nginx", http=http, https=https, servers=[echo, mute]) as nginx,
    ):
        async with listening(nginx, https):
            tls = ssl.create_default_context(cafile=folder / "nginx" / "site.pem")
            async with httpx.AsyncClient(base_url=f"https://{HOST}:{https}", verify=tls) as client:
                await _repeats(client, echoed, swallowed)
                await _overwrites(client)


async def _repeats(client: httpx.AsyncClient, echoed: list[str], swallowed: list[str]) -> None:
    """Test retries: one process closes every request unanswered; only a GET may go to the other."""
    posts = [(await client.post(f"/p{n}", content="x")).status_code for n in range(REQUESTS)]
    gets: list[int] = []
    async with asyncio.timeout(RETURN_LIMIT_S):  # nginx uses it again two seconds after a failure
        while not any(what.startswith("GET") for what in swallowed):
            gets.append((await client.get(f"/g{len(gets)}")).status_code)
            await asyncio.sleep(PAUSE_S)
    arrived = Counter(echoed + swallowed)
    twice = [what for what, times in arrived.items() if what.startswith("POST") and times > 1]
    dropped = sum(what.startswith("POST") for what in swallowed)
    _require(
        dropped > 0, "no POST reached the process that closes requests, so the test proves nothing"
    )
    _require(not twice, f"POSTs were sent twice: {twice}")
    _require(posts.count(502) == dropped, f"POSTs were answered {Counter(posts)}")
    _require(set(gets) == {200}, f"GETs were answered {Counter(gets)}")
    print(f"{REQUESTS} POSTs, {dropped} to a process that closed them: none was sent twice")
    print(f"{len(gets)} GETs: all answered, if necessary by the other process")


async def _overwrites(client: httpx.AsyncClient) -> None:
    arrived = (await client.get("/", headers=CLAIMS)).json()
    for name, value in OVERWRITTEN.items():
        _require(arrived.get(name) == value, f"{name} arrived as {arrived.get(name)!r}")
    for name in REMOVED:
        _require(name not in arrived, f"{name} arrived as {arrived.get(name)!r}")
    print(f"client headers: overwritten {', '.join(OVERWRITTEN)}; removed {', '.join(REMOVED)}")


def _require(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise NginxError(f"nginx.conf failed a test: {otherwise}.")
