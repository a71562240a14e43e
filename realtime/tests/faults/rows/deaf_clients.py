"""Clients that ask for much and read nothing (F17)."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
from time import monotonic

import psutil

from realtime.protocol.messages import CLOSE_TOO_SLOW
from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, Sized, row

DEAF = Sized(20, 2)  # every second one continues to send, so that the server sees a living client
TALK_S = Sized(5.0, 0.5)
ROOMS = 60  # fewer rooms fit into the buffers of the connection
SNAPSHOTS = 20  # full snapshots for each client: more than the buffers hold
ENDED_WITHIN_S = 30.0
RSS_MOST = 10 * 1024 * 1024
ROUNDS = Sized(60, 2)  # bookings that are measured
SLOWER_MOST_S = 0.05
FIN, MASKED, TEXT, CLOSE = 0x80, 0x80, 0x1, 0x8
READ_WITHIN_S = 5.0


class DeafClient:
    """A socket that shakes hands and sends, and reads nothing before `how_it_ended`."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._port = port
        self._headers = headers
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.local_port = 0

    async def open(self, topic: str) -> None:
        """Connect, and subscribe to the topic several times."""
        loop = asyncio.get_running_loop()
        self._socket.setblocking(False)
        await loop.sock_connect(self._socket, ("127.0.0.1", self._port))
        self.local_port = self._socket.getsockname()[1]
        host = f"127.0.0.1:{self._port}"
        head = {
            "Host": host, "Upgrade": "websocket", "Connection": "Upgrade",
            "Origin": f"http://{host}", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), **self._headers,
        }  # fmt: skip
        header_lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        await loop.sock_sendall(
            self._socket, f"GET /ws/v1/live HTTP/1.1\r\n{header_lines}\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:  # byte by byte, so that no byte after the header is read
            answer += await loop.sock_recv(self._socket, 1)
        ask = json.dumps({"type": "subscribe", "topic": topic}).encode()
        await loop.sock_sendall(self._socket, masked(ask) * SNAPSHOTS)

    async def talk(self, pause_s: float) -> None:
        """Send a ping at intervals, as long as the server accepts it."""
        loop = asyncio.get_running_loop()
        ping = masked(json.dumps({"type": "ping", "t": 1}).encode())
        with contextlib.suppress(OSError):
            while True:
                await asyncio.sleep(pause_s)
                await loop.sock_sendall(self._socket, ping)

    async def how_it_ended(self) -> int:
        """Read all buffered bytes; return the close code, 1006 for none, 0 if still open."""
        loop, data = asyncio.get_running_loop(), b""
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                while chunk := await loop.sock_recv(self._socket, 65536):
                    data += chunk
        except TimeoutError:
            return 0
        except ConnectionError:
            pass
        return close_code(data)

    def close(self) -> None:
        self._socket.close()


def masked(payload: bytes) -> bytes:
    """Return a text frame as clients send it, under the mask 0, which changes no byte."""
    assert len(payload) < 126
    return bytes([FIN | TEXT, MASKED | len(payload)]) + b"\0\0\0\0" + payload


def close_code(data: bytes) -> int:
    """Return the code of the close frame among these frames, 1006 if there is none."""
    at = 0
    while at + 2 <= len(data):
        kind, length, at = data[at] & 0x0F, data[at + 1], at + 2
        if length == 126:
            length, at = struct.unpack_from(">H", data, at)[0], at + 2
        elif length == 127:
            length, at = struct.unpack_from(">Q", data, at)[0], at + 8
        if kind == CLOSE and at + 2 <= len(data):
            return int(struct.unpack_from(">H", data, at)[0])
        at += length
    return 1006


async def p99_to_screen(lab: Lab) -> float:
    """Book one room after another; return the p99 of the time until every screen shows it."""
    took = []
    for n in range(lab.size(ROUNDS)):
        room = lab.rooms[n % len(lab.rooms)]
        before = [f.screen.have()[room][1] for f in lab.followers]
        began = monotonic()
        await lab.booker.book(room)

        def shown(room: str = room, before: list[int] = before) -> bool:
            now = [f.screen.have()[room][1] for f in lab.followers]
            return all(b > a for a, b in zip(before, now, strict=True))

        await lab.until(10, shown, "a booking did not come to the screens")
        last = (
            next(a for a in reversed(f.screen.applied) if a.room == room) for f in lab.followers
        )
        took.append(max(one.at for one in last) - began)
    return sorted(took)[int(len(took) * 0.99)]


def held(lab: Lab, deaf: list[DeafClient]) -> int:
    """Return how many of these connections the web process has open."""
    client_ports = {one.local_port for one in deaf}
    connections = psutil.Process(lab.web.pid).net_connections("tcp")
    return sum(bool(c.raddr) and c.raddr.port in client_ports for c in connections)


@row(
    "F17",
    f"{DEAF.full} clients ask for {SNAPSHOTS} snapshots of {ROOMS} rooms, and never read",
    "ended within 30 s as too slow; memory back to +10 MB; the others as quick as before",
    Guard("the bound of what is unread, and the watch over it", web=("wire_unbounded",)),
    rooms=ROOMS,
)
async def never_reads(lab: Lab) -> None:
    await lab.ready()
    process = psutil.Process(lab.web.pid)
    quick = await p99_to_screen(lab)
    rss = process.memory_info().rss
    deaf = [DeafClient(lab.port, dict(lab.headers)) for _ in range(lab.size(DEAF))]
    began = monotonic()
    talks: list[asyncio.Task[None]] = []
    try:
        await asyncio.gather(*(one.open("building:house") for one in deaf))
        talks += [asyncio.create_task(one.talk(lab.size(TALK_S))) for one in deaf[::2]]
        slow = await p99_to_screen(lab)
        most = process.memory_info().rss - rss
        if not lab.is_short:  # two rounds give no p99
            lab.claim("p99 of the others", slow < quick + SLOWER_MOST_S,
                      f"{slow * 1000:.0f} ms, {quick * 1000:.0f} ms before")  # fmt: skip
        left = ENDED_WITHIN_S - (monotonic() - began)
        await lab.within(left, "all ended", lambda: not held(lab, deaf))
        total = monotonic() - began
        lab.claim_quick("since they came", total, ENDED_WITHIN_S)
        ended_as_slow = lab.web.output.count("socket_too_slow")
        lab.claim("let go as too slow", ended_as_slow >= len(talks), ended_as_slow)
        codes = sorted(set(await asyncio.gather(*(one.how_it_ended() for one in deaf))))
        lab.claim("close codes", set(codes) <= {CLOSE_TOO_SLOW, 1006}, codes)
    finally:
        for task in talks:
            task.cancel()
        for one in deaf:
            one.close()
    grown = process.memory_info().rss - rss
    lab.claim("memory", grown < RSS_MOST, f"+{grown >> 20} MB, most +{most >> 20} MB")
    await lab.settles("screens right")
    await lab.judge()
