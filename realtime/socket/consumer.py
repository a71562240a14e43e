"""`/ws/v1/live`: one connection. Parses frames, delegates to the hub, sends the answers."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Literal

import structlog
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.errors import (
    LimitExceededError,
    MeetingRoomsError,
    NotAuthenticatedError,
)
from realtime import metrics
from realtime.delivery.encoded_frame import Frame
from realtime.delivery.transports import DIRECT_EXTENSION, AsgiTransport, Transport
from realtime.hub.displays import shared_displays
from realtime.hub.fragments import Rendering
from realtime.hub.hub import shared_hub
from realtime.protocol import messages
from realtime.protocol.messages import (
    Ack,
    BadFrameError,
    HoldSlot,
    Ping,
    ReleaseHold,
    RenewHold,
    Seen,
    Subscribe,
    Unsubscribe,
)
from realtime.socket.connections import shared_connections
from realtime.socket.holds import ConnectionHolds
from realtime.state.error_codes import LiveErrorCode
from realtime.state.live_state import Audience
from realtime.state.topics import Topic

log = structlog.get_logger(__name__)
MINUTE_S = 60.0
CLOSE_ON_ERROR = 1011  # the code with which the server closes after a bug in a handler

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class RateWindow:
    """Counts events of the last minute against a limit."""

    __slots__ = ("_limit", "_times")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._times: deque[float] = deque()

    def exceeded_by(self, at: float) -> bool:
        """Count one event at this loop time; return whether the limit is exceeded."""
        while self._times and self._times[0] <= at - MINUTE_S:
            self._times.popleft()
        self._times.append(at)
        return len(self._times) > self._limit


class LiveConsumer(AsyncWebsocketConsumer):
    """One client of the live protocol. The hub has one channel for all clients of the process."""

    transport: Transport
    audience: Audience
    principal: Hashable
    address: str
    opened_at: float
    ask_audience: Callable[[], Awaitable[Audience]]

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Handle the messages of the socket one after another until it is closed.

        The loop of Channels also waits for a channel layer, with two more tasks per message, and
        closes old database connections around each message, in a thread, for 75 to 130 µs. This
        consumer has no channel and uses the database only through `in_thread`, which closes its own
        connections.

        Guarantees: after the end no data of the connection is left in hub and registries. Its holds
        are released if the client closed the socket; they expire if the connection was lost.
        """
        self.scope, self.base_send = scope, send
        self._holds = ConnectionHolds(scope["ask_actor"])
        code = CLOSE_ON_ERROR
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                await getattr(self, get_handler_name(message))(message)
                await asyncio.sleep(0)  # many frames must not delay other tasks and the answers
            code = message["code"]
        finally:
            self._leave(code)
        await self._holds.release_on_close(code)

    async def connect(self) -> None:
        """Accept the socket, within the limits. Access is checked per topic, in `_subscribe`."""
        self._hub, self._connections = shared_hub(), shared_connections()
        self._displays = shared_displays()
        self._topics: set[Topic] = set()
        self._frames = RateWindow(messages.MAX_FRAMES_PER_MINUTE)
        self._bad_frames = RateWindow(messages.MAX_BAD_FRAMES_PER_MINUTE)
        self._ending: asyncio.Task[None] | None = None
        self.opened_at = asyncio.get_running_loop().time()
        self.principal, self.address = self.scope["principal"], self.scope["address"]
        self.audience = self.scope["audience"]
        self.ask_audience = self.scope["ask_audience"]
        await self.accept()
        direct = self.scope.get("extensions", {}).get(DIRECT_EXTENSION)
        self.transport = (
            direct(self.close_too_slow)
            if direct
            else AsgiTransport(self.base_send, self.close_too_slow)
        )
        metrics.connections_total.inc()
        metrics.live_connections.labels(path=self.transport.name).inc()
        try:
            self._connections.add(self)
        except LimitExceededError as exc:
            reason = exc.code if exc.code in metrics.REFUSALS else "too_many"
            metrics.connections_refused_total.labels(reason=reason).inc()
            self._end(messages.CLOSE_TOO_MANY, messages.error(exc.code, exc.detail))
            return
        self._displays.note_connected(self, audience=self.audience, path=self.transport.name)
        self._reply(messages.hello(SYSTEM_CLOCK.now(), settings.BUILD))

    def _leave(self, code: int) -> None:
        """Remove the connection from hub, registry and metrics."""
        if not hasattr(self, "transport"):
            return  # closed before it was accepted
        self.transport.stop()
        self._hub.disconnect(self)
        self._connections.remove(self)
        self._displays.note_closed(self)
        metrics.live_connections.labels(path=self.transport.name).dec()
        metrics.count_close(code)
        log.debug("socket_closed", code=code)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:  # noqa: ARG002
        """Handle one frame. An invalid frame gets an `error`; too many frames close the socket."""
        if self._ending is not None:
            return
        at = asyncio.get_running_loop().time()
        frame, bad = self._read(text_data)
        is_due = isinstance(frame, Ack) and self.transport.acknowledge(frame.n)
        if not is_due and self._frames.exceeded_by(at):
            self._end(
                messages.CLOSE_TOO_MANY, messages.error(LiveErrorCode.TOO_MANY_FRAMES, _TOO_MANY)
            )
        elif bad is not None:
            self._refuse(bad, at)
        elif frame is not None:
            await self._answer(frame)

    def restart(self, after_ms: int, reason: Literal["restart", "recycle"]) -> None:
        """Send `bye` and close with 1012."""
        self._end(messages.CLOSE_RESTART, messages.bye(after_ms, reason))

    def close_too_slow(self) -> None:
        """Close with 4408, because the client does not read."""
        log.warning("socket_too_slow", topics=len(self._topics))
        self._end(messages.CLOSE_TOO_SLOW)

    def sign_out(self) -> None:
        """Close with 4401, because the session or token has ended."""
        self._end(
            messages.CLOSE_NOT_AUTHENTICATED, messages.error(LiveErrorCode.SIGNED_OUT, _SIGNED_OUT)
        )

    def _read(self, text: str | None) -> tuple[messages.ClientFrame | None, BadFrameError | None]:
        try:
            return messages.parse_frame(text), None
        except BadFrameError as exc:
            return None, exc

    def _refuse(self, bad: BadFrameError, at: float) -> None:
        metrics.bad_frames_total.inc()
        if self._bad_frames.exceeded_by(at):
            self._end(messages.CLOSE_BAD_FRAME, messages.error(bad.code, bad.detail))
        else:
            self._reply(messages.error(bad.code, bad.detail))

    async def _answer(self, frame: messages.ClientFrame) -> None:
        try:
            await self._handle(frame)
        except NotAuthenticatedError as exc:
            reason = messages.error(exc.code, exc.detail, frame.ref)
            self._end(messages.CLOSE_NOT_AUTHENTICATED, reason)
        except MeetingRoomsError as exc:
            self._reply(messages.error(exc.code, exc.detail, frame.ref, exc.facts))

    async def _handle(self, frame: messages.ClientFrame) -> None:
        match frame:
            case Subscribe():
                await self._subscribe(frame)
            case Unsubscribe():
                topic = Topic.parse(frame.topic)
                self._topics.discard(topic)
                self._hub.unsubscribe(self, topic)
                self._reply(messages.unsubscribed(str(topic)))
            case HoldSlot() | RenewHold() | ReleaseHold():
                self._reply(await self._holds.answer(frame))
            case Ping():
                self._reply(messages.pong(frame.t, SYSTEM_CLOCK.now()))
            case Seen():
                self._displays.note_seen(
                    self,
                    audience=self.audience,
                    display=frame.display,
                    lags_ms=frame.lags_ms,
                    topics=[*map(str, self._topics)],
                    stale_s=frame.stale_s,
                )
            case Ack():
                pass  # unexpected, and counted as a frame by `receive`

    async def _subscribe(self, frame: Subscribe) -> None:
        topic = Topic.parse(frame.topic)
        rendering = Rendering.of(self.audience, frame.view, frame.language)
        if len(self._topics | {topic}) > messages.MAX_TOPICS_PER_CONNECTION:
            raise LimitExceededError(
                f"The connection follows {len(self._topics)} topics. The maximum is "
                f"{messages.MAX_TOPICS_PER_CONNECTION}. Unsubscribe from one first.",
                code=LiveErrorCode.TOO_MANY_TOPICS,
            )
        await self._hub.subscribe(self, topic, rendering, frame.have)
        if frame.have and topic in self._topics:
            metrics.resyncs_total.labels(cause="client").inc()
        self._topics.add(topic)

    def _reply(self, text: str) -> None:
        self.transport.reply(Frame(text))

    def _end(self, code: int, last: str | None = None) -> None:
        """Stop the transport, send the reason and close: the reason must not wait in the queue."""
        if self._ending is None:
            self._hub.disconnect(self)
            self.transport.stop()
            loop = asyncio.get_running_loop()
            self._ending = loop.create_task(self._close(code, last), name="socket-end")

    async def _close(self, code: int, last: str | None) -> None:
        if last is not None:
            await self.send(text_data=last)
        await self.close(code)


_SIGNED_OUT = "Your session or token has ended. Sign in again."
_TOO_MANY = (
    f"Too many frames. The maximum is {messages.MAX_FRAMES_PER_MINUTE} in a minute. "
    "Connect again later."
)
