"""Clients that do not read, dead connections, a process that was stopped (F17 to F19, F21)."""

import asyncio
import signal
from pathlib import Path
from time import monotonic

import psutil

from meeting_rooms.dev.servers.ports import free_port
from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, Sized, row
from realtime.tests.faults.measuring import HEALED_WITHIN_S
from realtime.tests.faults.proxy import Mode

HEAL = Guard("the hub's comparing with the store", web=("heal_off",))
UPDATES = Sized(300, 8)
ENDED_WITHIN_S = 25.0
NOTICED_WITHIN_S = 25.0
CLIENTS = Sized(10, 2)
HERD = Sized(800, 20)
BUSY_S = Sized(1.5, 0.2)
LIVE_WITHIN_S = 10.0
HANDSHAKE_P99_S = 5.0


@row(
    "F18",
    f"web frozen while {UPDATES.full} rooms change; Redis cuts its subscription as if it lagged",
    "right within 10 s of the thaw",
    HEAL,
    rooms=UPDATES,
)
async def frozen_web(lab: Lab) -> None:
    await lab.ready()
    frozen = lab.web
    other = free_port()
    await lab.start_web(port=other)
    lab.turn_to(other)
    frozen.signal(signal.SIGSTOP)
    booked, updates = 0, lab.size(UPDATES)
    for n in range(0, updates, 4):
        answers = await asyncio.gather(*(lab.booker.book(r) for r in lab.rooms[n : n + 4]))
        booked += sum(a.status == 201 for a in answers)
        if n == updates // 12 * 4:
            cut = await lab.redis_command("CLIENT", "KILL", "TYPE", "pubsub")
            lab.claim("subscriptions ended", cut > 0, cut)
    lab.claim("all booked elsewhere", booked == updates, booked)
    await asyncio.sleep(1)  # the worker publishes the last changes
    frozen.signal(signal.SIGCONT)
    await lab.settles("right after the thaw")
    await lab.within(HEALED_WITHIN_S, "live again", lab.all_live)
    await lab.judge()


def sockets_of(pid: int, port: int) -> int:
    """Return how many connections to its port a process has open."""
    states = (psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT, psutil.CONN_FIN_WAIT1)
    return sum(
        c.laddr.port == port and c.status in states
        for c in psutil.Process(pid).net_connections("tcp")
    )


@row(
    "F19",
    "half-open lines: a black hole between clients and web",
    "the server ends them within 25 s; clients notice within 25 s; right within 10 s afterwards",
    Guard("the server's pings", web=("ping_off",)),
)
async def half_open(lab: Lab) -> None:
    await lab.start()
    proxy = await lab.web_proxy()
    lab.follow(lab.size(CLIENTS), port=proxy.port)
    await lab.until(20, lab.all_live, "clients did not come up")
    before = sockets_of(lab.web.pid, lab.port)
    began = monotonic()
    await proxy.set(Mode.BLACKHOLE)
    await lab.within(
        NOTICED_WITHIN_S, "noticed by every client", lambda: all(f.left for f in lab.followers)
    )
    limit = ENDED_WITHIN_S - (monotonic() - began)
    await lab.within(limit, "ended by the server", lambda: not sockets_of(lab.web.pid, lab.port))
    took = monotonic() - began
    lab.claim_quick(f"both since the fault, of {before} lines", took, ENDED_WITHIN_S)
    await lab.booker.book(lab.rooms[0])
    await proxy.set(Mode.PASS)
    await lab.settles("right afterwards")
    await lab.within(HEALED_WITHIN_S, "live again", lab.all_live)
    await lab.judge()


def overflows() -> int:
    """Return how many handshakes the kernel has dropped since its start: queue full. Linux only."""
    names, values = (
        line.split()
        for line in Path("/proc/net/netstat").read_text().splitlines()
        if line.startswith("TcpExt:")
    )
    return int(dict(zip(names, values, strict=True))["ListenOverflows"])


@row(
    "F21",
    f"{HERD.full} displays at once, at a process that is busy for {BUSY_S.full} s",
    "all live within 10 s of that; none refused; p99 of the handshake under 5 s",
    Guard("a backlog for all of them", web=("backlog_default",)),
    rooms=Sized(20, 6),
)
async def returning(lab: Lab) -> None:
    await lab.start()
    before = overflows()
    lab.web.signal(signal.SIGSTOP)
    herd = lab.size(HERD)
    staff = lab.follow(herd // 2)
    public = lab.follow(herd - herd // 2, public=True)
    await asyncio.sleep(lab.size(BUSY_S))
    lab.web.signal(signal.SIGCONT)
    await lab.within(LIVE_WITHIN_S, "all live", lab.all_live)
    dropped = overflows() - before
    if not lab.is_short:  # the kernel counts for the machine, not for the process
        lab.claim("handshakes dropped by the kernel", not dropped, dropped)
    refused = sum(f.refused + len(f.closes) for f in staff + public)
    lab.claim("refused or closed", not refused, refused)
    took = sorted(f.opened[0][1] for f in lab.followers if f.opened)
    p99 = took[int(len(took) * 0.99)] if took else float("inf")
    lab.claim("handshakes", len(took) == herd, len(took))
    lab.claim_quick("p99 of the handshake", p99, HANDSHAKE_P99_S)
    failed = lab.web.output.count('"status": 5') + lab.web.output.count("Traceback")
    lab.claim("errors in the log", not failed, failed)
    await lab.settles("screens right")
    await lab.judge()
