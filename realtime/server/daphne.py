"""Daphne, with the direct way out in the scope of each socket, and in charge of its own end.

Import this module only after `install_loop`: Daphne takes whatever reactor is installed by then.
"""

import asyncio
import signal
from collections.abc import Callable
from math import ceil
from typing import Any

import structlog
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor, tcp

from realtime import metrics
from realtime.delivery.transports import DIRECT_EXTENSION
from realtime.protocol.messages import CLOSE_RESTART
from realtime.server.bodies import bound_bodies
from realtime.server.direct import DirectTransport
from realtime.server.self_test import find_fault

log = structlog.get_logger(__name__)

CHECK_S = 2.0  # as Daphne's own
CHECKED_AT_ONCE = 32

Application = Callable[..., Any]
_reactor: Any = reactor  # its type says nothing of TCP


class LiveProtocol(WebSocketProtocol):
    """A WebSocket of Daphne's, cheaper to open, that can also close with 1012.

    autobahn lets an application send 1000 and 3000 to 4999 only; 1012, service restart, was
    registered for servers later. And it copies its options to every connection and formats them
    for a debug line even where nobody reads it, a quarter of what a connection costs: here they
    are the class's, which autobahn leaves alone.
    """

    wire: DirectTransport | None = None  # once it is there, everything goes out by it

    @classmethod
    def configure(cls, factory: WebSocketFactory) -> None:
        """Take over the factory's options, and leave none to be copied."""
        for name in cls.CONFIG_ATTRS:
            option = getattr(factory, name)
            setattr(cls, name, staticmethod(option) if callable(option) else option)
        cls.CONFIG_ATTRS = []
        factory.protocol = cls

    def serverSend(self, content: Any, binary: bool = False) -> None:  # noqa: N802
        """Send a message of any size.

        autobahn holds the limit on what clients may send against what is sent to them as well, and
        a snapshot of some hundred rooms is larger than that.
        """
        if self.state == self.STATE_OPEN:
            payload = content if binary else content.encode()
            self.sendFrame(opcode=2 if binary else 1, payload=payload)

    def sendData(  # noqa: N802 - autobahn's name
        self, data: bytes, sync: bool = False, chopsize: int | None = None
    ) -> None:
        """Hand autobahn's own frames to whoever has the line."""
        if self.wire is None:
            super().sendData(data, sync, chopsize)
        else:
            self.wire.write_raw(data)

    def sendCloseFrame(self, *args: Any, **kwargs: Any) -> None:  # noqa: N802 - autobahn's name
        """Close, and let nothing follow."""
        super().sendCloseFrame(*args, **kwargs)
        if self.wire is not None:
            self.wire.stop()

    def direct(self, on_overflow: Callable[[], None]) -> DirectTransport:
        """Open the direct way out."""
        self.wire = DirectTransport(self.transport, on_overflow)
        return self.wire

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802 - Daphne's name
        """Close; with 1012 too."""
        if code == CLOSE_RESTART:
            self.sendCloseFrame(code=code)
        else:
            super().serverClose(code=code)


class LiveServer(Server):
    """Accepts connections once the self-test is done, and drains before it stops.

    When a signal comes, `notice` is awaited while everything is still served, then nothing new is
    accepted, and `drain` is awaited while requests under way go on.
    """

    application: Application

    def __init__(
        self,
        application: Application,
        *,
        wants_direct: bool,
        notice: Callable[[signal.Signals], Any],
        drain: Callable[[signal.Signals], Any],
        request_timeout_s: float,
        **options: Any,
    ) -> None:
        super().__init__(application, signal_handlers=False, **options)
        self._wants_direct = wants_direct
        self._is_direct = False
        self._notice = notice
        self._drain = drain
        self._request_timeout_s = request_timeout_s
        self._ports: list[Any] = []
        self._stopping: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM."""
        _reactor.callWhenRunning(self._on_running)
        super().run()

    def listen_success(self, port: Any) -> None:
        """Let the kernel queue connections until the self-test is done."""
        super().listen_success(port)
        self._ports.append(port)
        port.stopReading()

    def timeout_checker(self) -> None:
        """Begin to check every connection, each about every CHECK_S, a few at a time.

        Daphne checks all in one go. Where 5,000 have come together, so do their pings, and hold up
        whatever changes meanwhile for some 0.3 s.
        """
        self._checking = asyncio.get_event_loop().create_task(self._check(), name="server-check")

    async def _check(self) -> None:
        while True:
            protocols = list(self.connections)
            steps = max(1, ceil(len(protocols) / CHECKED_AT_ONCE))
            for step in range(steps):
                for protocol in protocols[step::steps]:
                    self._check_one(protocol)
                await asyncio.sleep(CHECK_S / steps)

    def _check_one(self, protocol: Any) -> None:
        try:
            if protocol in self.connections:
                protocol.check_timeouts()
        except Exception:  # logged whole; the others are to be checked all the same
            log.exception("check_failed")

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Offer the direct way to sockets whose transport is plain TCP."""
        if (
            self._is_direct
            and scope["type"] == "websocket"
            and isinstance(protocol.transport, tcp.Connection)
        ):
            scope.setdefault("extensions", {})[DIRECT_EXTENSION] = protocol.direct
        return super().create_application(protocol, scope)

    def _on_running(self) -> None:
        LiveProtocol.configure(self.ws_factory)
        bound_bodies(self.http_factory)
        loop = asyncio.get_event_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, number)
        self._starting = loop.create_task(self._open(), name="server-open")

    async def _open(self) -> None:
        """Choose the way out, then accept."""
        fault = "switched off by DIRECT_SEND"
        if self._wants_direct:
            fault = await self._test_direct()
        self._is_direct = not fault
        loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
        path = "direct" if self._is_direct else "asgi"
        log.info("send_path", path=path, loop=loop, fault=fault)
        metrics.send_path.info({"path": path, "loop": loop})
        for port in self._ports:
            port.startReading()

    async def _test_direct(self) -> str:
        """Run the self-test on this very server, while nobody else can connect."""
        real, self._is_direct = self.application, True
        port: Any = _reactor.listenTCP(0, self.http_factory, interface="127.0.0.1")
        try:
            return await find_fault(port.getHost().port, self._serve_test)
        finally:
            self.application = real
            await port.stopListening().asFuture(asyncio.get_running_loop())

    def _serve_test(self, application: Application) -> None:
        self.application = application

    def _on_signal(self, number: signal.Signals) -> None:
        if self._stopping is None:
            self._stopping = asyncio.get_event_loop().create_task(
                self._stop(number), name="server-stop"
            )

    async def _stop(self, number: signal.Signals) -> None:
        """Say goodbye, take nothing new, finish what runs, end. A bug here must not keep it up."""
        try:
            await self._notice(number)
            for port in self._ports:
                port.stopListening()
            await self._drain(number)
            async with asyncio.timeout(self._request_timeout_s):
                while running := self._running():
                    await asyncio.wait(running)
        except TimeoutError:
            log.warning("requests_cut_off", count=len(self._running()))
        except Exception:
            log.exception("drain_failed")
        finally:
            self.stop()

    def _running(self) -> set[asyncio.Future[Any]]:
        """Return what still runs: requests, and sockets that are being closed."""
        tasks = (details.get("application_instance") for details in self.connections.values())
        return {task for task in tasks if task is not None and not task.done()}
