"""The open sockets of one process: how many there may be, for how long, and how they end.

One task watches them all. Sockets end with a close code that tells the client what to do; on a
restart they end one after another, so that they do not all arrive elsewhere at once.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError

from meeting_rooms.kernel.errors import LimitExceededError
from realtime.delivery.transports import Transport
from realtime.hub.displays import shared_displays
from realtime.state.error_codes import LiveErrorCode
from realtime.state.live_state import Audience

log = structlog.get_logger(__name__)

WATCH_S = 1.0
REVOKED_WITHIN_S = 10.0
RECYCLE_SPREAD_MS = 5_000
STORE_ERRORS = (OperationalError, InterfaceError)
Key = TypeVar("Key", bound=Hashable)


class Connection(Protocol):
    """A socket, as the registry sees it. None of the calls may wait."""

    wire: Transport
    audience: Audience
    principal: Hashable  # whose it is; None for nobody in particular
    address: str  # the network that counts as one client
    opened_at: float  # loop time
    ask_audience: Callable[[], Awaitable[Audience]]

    def restart(self, after_ms: int, reason: str) -> None:
        """Say goodbye and close with 1012."""
        ...

    def let_go(self) -> None:
        """Close with 4408: the client does not read."""
        ...

    def sign_out(self) -> None:
        """Close with 4401."""
        ...


@dataclass(slots=True)
class _Watched:
    """What the rounds know of one connection."""

    recycle_at: float  # loop time
    _taken: int | None = None  # as its wire said in the last round
    _rounds: int = 0  # in a row, in which it took nothing

    def stuck_s(self, wire: Transport) -> float:
        """Count one more round; return how long the client has taken nothing off a full line.

        A round counts as WATCH_S, however much later it comes.
        """
        before, self._taken = self._taken, wire.taken()
        is_stuck = self._taken is not None and self._taken == before
        self._rounds = self._rounds + 1 if is_stuck else 0
        return self._rounds * WATCH_S


class Connections:
    """All sockets of this process."""

    def __init__(self) -> None:
        self._open: dict[Connection, _Watched] = {}
        self._by_principal: dict[Hashable, int] = {}
        self._public = 0  # without a sign-in or token
        self._public_by_address: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.is_draining = False

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> None:
        """Take in a socket. Raises LimitExceededError beyond the limits of the settings.

        Public sockets have a limit for each address and leave RESERVED_CONNECTIONS places free, so
        that they never keep out people and programs that have signed in.
        """
        self._start()
        if connection.audience is Audience.PUBLIC:
            self._check_public(connection.address)
        theirs = self._by_principal.get(connection.principal, 0)
        if len(self._open) >= settings.MAX_CONNECTIONS:
            raise LimitExceededError(
                f"This server holds {settings.MAX_CONNECTIONS} connections, its most. Try later.",
                code=LiveErrorCode.TOO_MANY_CONNECTIONS,
            )
        if connection.principal is not None and theirs >= settings.MAX_CONNECTIONS_PER_PERSON:
            raise LimitExceededError(
                f"At most {settings.MAX_CONNECTIONS_PER_PERSON} connections a sign-in or token.",
                code=LiveErrorCode.TOO_MANY_CONNECTIONS,
            )
        self._by_principal[connection.principal] = theirs + 1
        if connection.audience is Audience.PUBLIC:
            there = self._public_by_address.get(connection.address, 0)
            self._public_by_address[connection.address] = there + 1
            self._public += 1
        age_s = settings.SOCKET_MAX_AGE_S * random.uniform(0.5, 1.0)  # noqa: S311 - a spread
        self._open[connection] = _Watched(connection.opened_at + age_s)

    def remove(self, connection: Connection) -> None:
        """Let a closed socket go. Harmless for one that is not known."""
        if self._open.pop(connection, None) is None:
            return
        _count_down(self._by_principal, connection.principal)
        if connection.audience is Audience.PUBLIC:
            _count_down(self._public_by_address, connection.address)
            self._public -= 1

    def _check_public(self, address: str) -> None:
        """Raise LimitExceededError if one more public socket from this address is too many."""
        most = settings.MAX_CONNECTIONS_PER_ADDRESS
        if self._public_by_address.get(address, 0) >= most:
            raise LimitExceededError(
                f"The maximum is {most} connections from one address without a sign-in. "
                "Close some, or sign in.",
                code=LiveErrorCode.TOO_MANY_FROM_ADDRESS,
            )
        places = settings.MAX_CONNECTIONS - settings.RESERVED_CONNECTIONS
        if self._public >= places:
            raise LimitExceededError(
                f"The maximum of this server is {places} connections without a sign-in. Try later, "
                "or sign in.",
                code=LiveErrorCode.TOO_MANY_CONNECTIONS,
            )

    async def drain(self, spread_s: float) -> None:
        """End all sockets, evenly over `spread_s`, and refuse to be called ready from here on."""
        self.is_draining = True
        leaving = list(self._open)
        log.info("drain_started", sockets=len(leaving), spread_s=spread_s)
        started = asyncio.get_running_loop().time()
        for n, connection in enumerate(leaving):
            due = started + spread_s * n / len(leaving)
            wait = due - asyncio.get_running_loop().time()
            if wait > 0:
                await asyncio.sleep(wait)
            if connection in self._open:
                # Its place in the queue was the jitter; those it is left are for the last ones.
                connection.restart(after_ms=500, reason="restart")
        log.info("drain_done", still_open=len(self._open))

    def _start(self) -> None:
        if not self._tasks:
            loop = asyncio.get_running_loop()
            for step in (self._watch, self._ask):
                task = loop.create_task(self._forever(step), name=f"connections.{step.__name__}")
                self._tasks.append(task)
            self._tasks.append(loop.create_task(shared_displays().run(), name="displays"))

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except Exception:  # logged whole; one socket must not end the watch over all
                log.exception("connections_step_failed")
                await asyncio.sleep(WATCH_S)

    async def _watch(self) -> None:
        await asyncio.sleep(WATCH_S)
        self.watch()

    def watch(self) -> None:
        """Do one round: end who does not read, recycle who has been here for long.

        A client that takes nothing is judged by rounds, not by the clock: a process that was
        stopped, or got no processor, must first look at its sockets. What clients have read and
        acknowledged meanwhile is taken in between two rounds.
        """
        now = asyncio.get_running_loop().time()
        for connection, watched in list(self._open.items()):
            if watched.stuck_s(connection.wire) >= settings.SOCKET_STUCK_S:
                connection.let_go()
            elif now >= watched.recycle_at:
                watched.recycle_at = now + settings.SOCKET_MAX_AGE_S
                connection.restart(after_ms=RECYCLE_SPREAD_MS, reason="recycle")

    async def _ask(self) -> None:
        """End the sockets of somebody who has signed out, left or lost the token.

        Each sign-in is asked for once, however many sockets it has. While Postgres is away nobody
        can be asked; then the last answer holds.
        """
        await asyncio.sleep(REVOKED_WITHIN_S)
        by_principal: dict[Hashable, list[Connection]] = {}
        for connection in self._open:
            if connection.audience is Audience.STAFF:
                by_principal.setdefault(connection.principal, []).append(connection)
        try:
            asked = (theirs[0].ask_audience() for theirs in by_principal.values())
            audiences = await asyncio.gather(*asked)
        except STORE_ERRORS as exc:
            log.warning("audience_not_asked", error=exc)
            return
        for theirs, audience in zip(by_principal.values(), audiences, strict=True):
            if audience is Audience.PUBLIC:
                for connection in theirs:
                    connection.sign_out()


def _count_down(counts: dict[Key, int], key: Key) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]


_registries: WeakKeyDictionary[asyncio.AbstractEventLoop, Connections] = WeakKeyDictionary()


def shared_connections() -> Connections:
    """Return the registry of the running event loop, made on first use."""
    loop = asyncio.get_running_loop()
    if loop not in _registries:
        _registries[loop] = Connections()
    return _registries[loop]
