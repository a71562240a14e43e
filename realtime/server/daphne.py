"""Daphne with direct send for WebSockets and an orderly shutdown.

Import this module only after `install_loop`: Daphne uses the reactor that is installed at import.
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

CHECK_S = 2.0  # the interval of Daphne
CHECKED_AT_ONCE = 32  # connections between two yields

Application = Callable[..., Any]
_reactor: Any = reactor  # its declared type lacks the TCP methods


class LiveProtocol(WebSocketProtocol):
    """A WebSocket of Daphne that is cheaper to open and can close with 1012.

    autobahn lets an application close with 1000 and 3000 to 4999 only; 1012, service restart, was
    registered later. For every connection autobahn also copies its options and formats them for a
    debug message, even if debug logging is off: a quarter of the cost of a connection. Here the
    options are attributes of the class, which autobahn does not copy.
    """

    direct_transport: DirectTransport | None = None  # if set, all data is sent through it

    @classmethod
    def configure(cls, factory: WebSocketFactory) -> None:
        """Move the options of the factory to the class, so that autobahn has none to copy."""
        for name in cls.CONFIG_ATTRS:
            option = getattr(factory, name)
            setattr(cls, name, staticmethod(option) if callable(option) else option)
        cls.CONFIG_ATTRS = []
        factory.protocol = cls

    def serverSend(self, content: Any, binary: bool = False) -> None:  # noqa: N802
        """Send a message of any size.

        autobahn applies the size limit of client messages to server messages too, but a snapshot of
        some hundred rooms is larger than that limit.
        """
        if self.state == self.STATE_OPEN:
            payload = content if binary else content.encode()
            self.sendFrame(opcode=2 if binary else 1, payload=payload)

    def sendData(  # noqa: N802 - autobahn's name
        self, data: bytes, sync: bool = False, chopsize: int | None = None
    ) -> None:
        """Send a frame of autobahn through the direct transport, if there is one."""
        if self.direct_transport is None:
            super().sendData(data, sync, chopsize)
        else:
            self.direct_transport.write_raw(data)

    def sendCloseFrame(self, *args: Any, **kwargs: Any) -> None:  # noqa: N802 - autobahn's name
        """Send the close frame; stop the direct transport, so that no frame follows."""
        super().sendCloseFrame(*args, **kwargs)
        if self.direct_transport is not None:
            self.direct_transport.stop()

    def direct(self, on_overflow: Callable[[], None]) -> DirectTransport:
        """Create and return the direct transport of this connection."""
        self.direct_transport = DirectTransport(self.transport, on_overflow)
        return self.direct_transport

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802 - Daphne's name
        """Close with `code`, which may be 1012."""
        if code == CLOSE_RESTART:
            self.sendCloseFrame(code=code)
        else:
            super().serverClose(code=code)


class LiveServer(Server):
    """A Daphne server that accepts connections after the self-test and drains before it stops.

    After a signal the server awaits `notice` while it still accepts connections. Then it closes its
    ports, awaits `drain`, and waits up to `request_timeout_s` for the running requests.
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
        """Leave new connections in the kernel's queue until the self-test is done."""
        super().listen_success(port)
        self._ports.append(port)
        port.stopReading()

    def timeout_checker(self) -> None:
        """Start the check of every connection, about every CHECK_S, a few connections at a time.

        Daphne checks all connections at once. If 5,000 connections were opened together, their
        pings are sent together and delay other work by about 0.3 s.
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
        except Exception:  # logged with its traceback; the other connections must be checked
            log.exception("check_failed")

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Offer direct send in the scope of WebSockets over plain TCP."""
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
        """Choose the transport, then accept connections."""
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
        """Run the self-test on this server before clients can connect; return the fault or ""."""
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
        """Shut down in the order of the class docstring. A bug here must not prevent the end."""
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
        """Return the unfinished tasks: requests, and sockets that are being closed."""
        tasks = (details.get("application_instance") for details in self.connections.values())
        return {task for task in tasks if task is not None and not task.done()}
