"""One of two web processes is replaced while clients and bookings continue (F20)."""

import asyncio
import signal
from time import monotonic

import httpx

from meeting_rooms.dev.servers.ports import free_port
from realtime.protocol.messages import CLOSE_RESTART
from realtime.tests.faults.booking_client import Answer, Booker
from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, Sized, row
from realtime.tests.faults.measuring import HEALED_WITHIN_S
from realtime.tests.faults.proxy import Proxy

CLIENTS = Sized(40, 4)
SPREAD_MOST_S = 10.0
SPREAD_LEAST_S = 2.0  # a shorter spread is a thundering herd
POSTS_PER_S = 10
LOOK_S = 0.2
BUSY_S = Sized(2.0, 0.3)  # with bookings, before the signal and after the end
GONE_WITHIN_S = 25.0


class Balancer:
    """Polls the readiness of a process, and points the proxy to the other once it is not ready."""

    def __init__(self, proxy: Proxy, port: int, other: int) -> None:
        self._proxy, self._port, self._other = proxy, port, other
        self.turned_at: float | None = None
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        self._proxy.turn_to(self._port, spare=self._other)
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
            while await self._is_ready(http):
                await asyncio.sleep(LOOK_S)
        self._proxy.turn_to(self._other)
        self.turned_at = monotonic()

    async def _is_ready(self, http: httpx.AsyncClient) -> bool:
        try:
            answer = await http.get(f"http://127.0.0.1:{self._port}/readyz")
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


async def post_on(lab: Lab, answers: list[Answer]) -> None:
    """Book at a steady rate until cancelled."""
    n = 0
    async with asyncio.TaskGroup() as group:

        async def book(room: str) -> None:
            answers.append(await lab.booker.book(room))

        while True:
            group.create_task(book(lab.rooms[n % len(lab.rooms)]))
            n += 1
            await asyncio.sleep(1 / POSTS_PER_S)


@row(
    "F20",
    "SIGTERM to one of two web processes, under bookings and sockets",
    "not ready first; bye and 1012, spread over at most 10 s; no booking fails; right within 10 s",
    Guard("the drain: notice, goodbye, spread", web=("drain_off",)),
    rooms=Sized(40, 6),
)
async def rolling(lab: Lab) -> None:
    await lab.start()
    leaving, other = lab.web, free_port()
    await lab.start_web(port=other)
    proxy = await lab.web_proxy()
    balancer = Balancer(proxy, lab.port, other)
    await asyncio.sleep(LOOK_S)  # the first poll
    lab.follow(lab.size(CLIENTS), port=proxy.port)
    await lab.until(20, lab.all_live, "clients did not come up")
    # One connection for each request, like a reverse proxy without keep-alive to its servers.
    await lab.booker.close()
    lab.booker = Booker(
        f"http://127.0.0.1:{proxy.port}", lab.headers | {"Connection": "close"},
        is_patient=lab.is_short,
    )  # fmt: skip
    answers: list[Answer] = []
    posting = asyncio.create_task(post_on(lab, answers))
    try:
        await asyncio.sleep(lab.size(BUSY_S))
        leaving.signal(signal.SIGTERM)
        await lab.within(GONE_WITHIN_S, "the process ends", lambda: not leaving.is_alive)
        await asyncio.sleep(lab.size(BUSY_S))
    finally:
        posting.cancel()
        await asyncio.wait([posting])
        await balancer.stop()
    failed = sum(a.status != 201 for a in answers)
    lab.claim("bookings", not failed, f"{len(answers) - failed} of {len(answers)}")
    _judge_goodbye(lab, balancer)
    await lab.settles("screens right")
    await lab.within(HEALED_WITHIN_S, "live again", lab.all_live)
    await lab.judge()


def _judge_goodbye(lab: Lab, balancer: Balancer) -> None:
    closes = sorted((at, code) for f in lab.followers for at, code in f.closes)
    codes = {code for _, code in closes}
    clients = lab.size(CLIENTS)
    lab.claim("closed with", codes == {CLOSE_RESTART} and len(closes) == clients,
              f"{codes} of {len(closes)}")  # fmt: skip
    said = sum("bye" in f.frames for f in lab.followers)
    lab.claim("told bye", said == clients, said)
    if lab.is_short:  # its environment spreads the closes over half a second
        return
    spread = closes[-1][0] - closes[0][0] if closes else 0.0
    is_spread = SPREAD_LEAST_S <= spread <= SPREAD_MOST_S
    lab.claim("spread", is_spread, f"{spread:.1f} s")
    turned = balancer.turned_at
    lead = closes[0][0] - turned if closes and turned is not None else float("-inf")
    lab.claim("not ready before the first close", lead > 0, f"{lead:.2f} s")
