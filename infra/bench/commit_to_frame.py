"""Commit to frame: how long after a booking's answer its change reaches a WebSocket client.

Starts its own servers, web process and worker in a folder of its own, and ends them. Run with
`make bench`, or `python -m infra.bench.commit_to_frame --help`.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from tqdm import tqdm
from websockets.asyncio.client import ClientConnection, connect

from meeting_rooms import embedded
from meeting_rooms.demo.accounts import DEMO_PASSWORD
from meeting_rooms.embedded import ENVIRONMENT, ServiceName

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 30.0


def main() -> int:
    """Parse the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bookings", type=int, default=100, help="how many (default 100)")
    parser.add_argument("--clients", type=int, default=1, help="sockets that listen (default 1)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meeting-rooms-bench-") as folder:
        result = run(Path(folder), arguments.bookings, arguments.clients, quiet=arguments.json)
    if arguments.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:24} {value}")
    return 0 if result["contiguous"] else 1


def run(folder: Path, bookings: int, clients: int, *, quiet: bool) -> dict[str, object]:
    """Start everything, measure, stop everything."""
    folder.chmod(0o711)
    started = embedded.start(
        folder, wanted=list(ServiceName), owner_pid=os.getpid(), report=lambda _line: None
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        **{ENVIRONMENT[name]: url for name, url in started.urls.items()},
        "DATA_DIR": str(folder),
        "SECRET_KEY": "for-the-benchmark-only-" + "x" * 32,
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "0",
        "DEMO": "1",
        "LOG_LEVEL": "ERROR",
    }
    children: list[subprocess.Popen[bytes]] = []
    try:
        manage = [sys.executable, str(ROOT / "manage.py")]
        subprocess.run([*manage, "prepare", "-v", "0"], env=environment, check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        for command in (["worker"], ["serve", "--port", str(port)]):
            children.append(subprocess.Popen([*manage, *command], env=environment))
        return asyncio.run(_measure(f"127.0.0.1:{port}", bookings, clients, quiet=quiet))
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(TIMEOUT_S)
        embedded.stop(folder, report=lambda _line: None)


async def _measure(host: str, bookings: int, clients: int, *, quiet: bool) -> dict[str, object]:
    async with httpx.AsyncClient(base_url=f"http://{host}", timeout=TIMEOUT_S) as http:
        await _sign_in(http)
        rooms = (await http.get("/api/v1/rooms")).json()["items"]
        room = rooms[0]["id"]
        bearer = {"Authorization": http.headers["Authorization"]}
        sockets = [await connect(f"ws://{host}/ws/v1/live", additional_headers=bearer)
                   for _ in range(clients)]  # fmt: skip
        for one in sockets:
            await _follow(one, room)
        delays, versions = [], []
        day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)  # noqa: TID251
        for n in tqdm(range(bookings), unit="booking", disable=quiet or None):
            start = day + timedelta(days=30, minutes=15 * n)
            times = {"starts_at": start, "ends_at": start + timedelta(minutes=15)}
            body = {"room": room, **{name: at.isoformat() for name, at in times.items()}}
            answer = await http.post("/api/v1/bookings", json=body)
            committed = time.perf_counter()
            answer.raise_for_status()
            frames = await asyncio.gather(*(_next_room(one) for one in sockets))
            delays.append((time.perf_counter() - committed) * 1000)
            versions.append(frames[0]["version"])
        for one in sockets:
            await one.close()
    expected = list(range(versions[0], versions[0] + bookings))
    return {
        "bookings": bookings,
        "clients": clients,
        "contiguous": versions == expected,
        "p50_ms": round(statistics.median(delays), 1),
        "p99_ms": round(sorted(delays)[max(0, int(bookings * 0.99) - 1)], 1),
        "max_ms": round(max(delays), 1),
    }


async def _sign_in(http: httpx.AsyncClient) -> None:
    """Sign in on the page as the demo's admin, and make a token for the rest."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            page = await http.get("/sign-in")
            break
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
    csrf = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"username": "admin@demo.example", "password": DEMO_PASSWORD,
            "csrfmiddlewaretoken": csrf}  # fmt: skip
    await http.post("/sign-in", data=form)
    headers = {"X-CSRFToken": http.cookies["csrf"]}
    token = await http.post("/api/v1/tokens", json={"name": "bench"}, headers=headers)
    http.headers["Authorization"] = f"Bearer {token.json()['secret']}"
    http.cookies.clear()


async def _follow(socket_: ClientConnection, room: str) -> None:
    """Follow the room as soon as the worker has made it known."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            await socket_.send(json.dumps({"type": "subscribe", "topic": f"room:{room}"}))
            if json.loads(await socket_.recv())["type"] == "snapshot":
                return
            await asyncio.sleep(0.5)


async def _next_room(socket_: ClientConnection) -> dict[str, int]:
    async with asyncio.timeout(TIMEOUT_S):
        while (frame := json.loads(await socket_.recv()))["type"] != "room":
            pass
    room: dict[str, int] = frame["room"]
    return room


if __name__ == "__main__":
    sys.exit(main())
