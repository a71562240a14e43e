"""The open sockets of one process: their limits, their maximum age, and how they are closed.

One task watches all sockets. The close code tells the client what to do. On a restart the sockets
are closed one after another, so that they do not all reconnect to another process at once.
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

WATCH_S = 1.0  # between two rounds of `watch`
REVOKED_WITHIN_S = 10.0  # after its session or token ended, a socket is closed within this
RECYCLE_SPREAD_MS = 5_000  # recycled sockets reconnect after a random part of this time
STORE_ERRORS = (OperationalError, InterfaceError)
Key = TypeVar("Key", bound=Hashable)


class Connection(Protocol):
    """The part of a socket that the registry uses. Only `ask_audience` may wait."""

    transport: Transport
    audience: Audience
    principal: Hashable  # its token or session key; None for an anonymous client
    address: str  # network address of the client
    opened_at: float  # loop time
    ask_audience: Callable[[], Awaitable[Audience]]

    def restart(self, after_ms: int, reason: str) -> None:
        """Send `bye` and close with 1012."""
        ...

    def close_too_slow(self) -> None:
        """Close with 4408, because the client does not read."""
        ...

    def sign_out(self) -> None:
        """Close with 4401, because the session or token has ended."""
        ...


@dataclass(slots=True)
class _Watched:
    """The data that `watch` keeps of one connection."""

    recycle_at: float  # loop time
    _taken: int | None = None  # by its transport, in the last round
    _rounds: int = 0  # in a row in which the client read nothing

    def stuck_s(self, transport: Transport) -> float:
        """Count one round; return for how many seconds the client has read no waiting data.

        A round counts as WATCH_S, even if it starts late.
        """
        before, self._taken = self._taken, transport.taken()
        is_stuck = self._taken is not None and self._taken == before
        self._rounds = self._rounds + 1 if is_stuck else 0
        return self._rounds * WATCH_S


class Connections:
    """All sockets of this process."""

    def __init__(self) -> None:
        self._open: dict[Connection, _Watched] = {}
        self._by_principal: dict[Hashable, int] = {}
        self._public = 0  # sockets without sign-in or token
        self._public_by_address: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.is_draining = False

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> None:
        """Register a socket. Raises LimitExceededError beyond the limits of the settings.

        Public sockets have a limit per address and leave RESERVED_CONNECTIONS places free, so they
        never block signed-in people and programs.
        """
        self._start()
        if connection.audience is Audience.PUBLIC:
            self._check_public(connection.address)
        theirs = self._by_principal.get(connection.principal, 0)
        if len(self._open) >= settings.MAX_CONNECTIONS:
            raise LimitExceededError(
                f"The maximum of this server is {settings.MAX_CONNECTIONS} connections. "
                "Try again later.",
                code=LiveErrorCode.TOO_MANY_CONNECTIONS,
            )
        if connection.principal is not None and theirs >= settings.MAX_CONNECTIONS_PER_PERSON:
            raise LimitExceededError(
                f"The maximum is {settings.MAX_CONNECTIONS_PER_PERSON} connections with one "
                "sign-in or token. Close some.",
                code=LiveErrorCode.TOO_MANY_CONNECTIONS,
            )
        self._by_principal[connection.principal] = theirs + 1
        if connection.audience is Audience.PUBLIC:
            there = self._public_by_address.get(connection.address, 0)
            self._public_by_address[connection.address] = there + 1
            self._public += 1
        age_s = settings.SOCKET_MAX_AGE_S * random.uniform(0.5, 1.0)  # noqa: S311 - spreads the load
        self._open[connection] = _Watched(connection.opened_at + age_s)

    def remove(self, connection: Connection) -> None:
        """Remove a closed socket. Does nothing if it is not registered."""
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
                f"The maximum is {most} connections from one address without sign-in. "
                "Close some, or sign in.",
                code=LiveErrorCode.TOO_MANY_FROM_ADDRESS,
            )
        places = settings.MAX_CONNECTIONS - settings.RESERVED_CONNECTIONS
        if self._public >= places:
            raise LimitExceededError(
                f"The maximum of this server is {places} connections without sign-in. "
                "Try again later, or sign in.",
                code=LiveErrorCode.TOO_MANY_CONNECTIONS,
            )

    async def drain(self, spread_s: float) -> None:
        """Close all sockets, evenly over `spread_s`; `is_draining` is true from now on."""
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
                # The loop spreads the sockets already; these 500 ms spread the last ones.
                connection.restart(after_ms=500, reason="restart")
        log.info("drain_done", still_open=len(self._open))

    def _start(self) -> None:
        if not self._tasks:
            loop = asyncio.get_running_loop()
            for step in (self._watch, self._check_access):
                task = loop.create_task(self._forever(step), name=f"connections.{step.__name__}")
                self._tasks.append(task)
            self._tasks.append(loop.create_task(shared_displays().run(), name="displays"))

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except Exception:  # logged with its traceback; one socket must not end the loop
                log.exception("connections_step_failed")
                await asyncio.sleep(WATCH_S)

    async def _watch(self) -> None:
        await asyncio.sleep(WATCH_S)
        self.watch()

    def watch(self) -> None:
        """Do one round: close sockets of clients that do not read, recycle old sockets.

        The time without reading is counted in rounds, not by the clock: a process that was stopped,
        or got no CPU time, must first process what clients read and acknowledged meanwhile, which
        happens between two rounds.
        """
        now = asyncio.get_running_loop().time()
        for connection, watched in list(self._open.items()):
            if watched.stuck_s(connection.transport) >= settings.SOCKET_STUCK_S:
                connection.close_too_slow()
            elif now >= watched.recycle_at:
                watched.recycle_at = now + settings.SOCKET_MAX_AGE_S
                connection.restart(after_ms=RECYCLE_SPREAD_MS, reason="recycle")

    async def _check_access(self) -> None:
        """Close the sockets whose session, token or person's access has ended.

        Each token or session is looked up once, however many sockets it has. While Postgres is
        away, the last answer stays valid.
        """
        await asyncio.sleep(REVOKED_WITHIN_S)
        by_principal: dict[Hashable, list[Connection]] = {}
        for connection in self._open:
            if connection.audience is Audience.STAFF:
                by_principal.setdefault(connection.principal, []).append(connection)
        try:
            questions = (theirs[0].ask_audience() for theirs in by_principal.values())
            audiences = await asyncio.gather(*questions)
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
    """Return the registry of the running event loop, created on first use."""
    loop = asyncio.get_running_loop()
    if loop not in _registries:
        _registries[loop] = Connections()
    return _registries[loop]
