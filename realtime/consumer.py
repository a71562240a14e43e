"""`/ws/v1/live`: one connection. Parses frames, delegates to the hub, sends from its outbox."""

import asyncio
from collections import deque

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import InterfaceError, OperationalError

from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.errors import (
    LimitExceededError,
    MeetingRoomsError,
    NotAuthenticatedError,
)
from realtime.domain import protocol
from realtime.domain.protocol import BadFrameError, Ping, Subscribe, Unsubscribe
from realtime.domain.state import Audience
from realtime.domain.topics import Topic
from realtime.feed import Rendering
from realtime.fragments import get_view
from realtime.hub import Hub, shared_hub
from realtime.outbox import Outbox, OutboxFullError

log = structlog.get_logger(__name__)
MINUTE_S = 60.0
REVOKED_WITHIN_S = 10.0
STORE_ERRORS = (OperationalError, InterfaceError)


class RateWindow:
    """Counts events of the last minute against a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._times: deque[float] = deque()

    def exceeded_by(self, at: float) -> bool:
        """Count one event at this loop time; say whether it is one too many."""
        while self._times and self._times[0] <= at - MINUTE_S:
            self._times.popleft()
        self._times.append(at)
        return len(self._times) > self._limit


class LiveConsumer(AsyncWebsocketConsumer):
    """One client of the live protocol. It has no channel of its own: the hub has one for all."""

    channel_layer_alias = "none"  # names no layer, so Channels makes no subscription per socket

    hub: Hub

    async def connect(self) -> None:
        """Accept anybody; what they may follow is decided per topic."""
        self._audience = await self._ask_audience()
        self._topics: set[Topic] = set()
        self._outbox = Outbox()
        self._frames = RateWindow(protocol.MAX_FRAMES_PER_MINUTE)
        self._bad_frames = RateWindow(protocol.MAX_BAD_FRAMES_PER_MINUTE)
        self.hub = shared_hub()
        await self.accept()
        loop = asyncio.get_running_loop()
        self._sender = loop.create_task(self._send_all(), name="outbox")
        self._guard = loop.create_task(self._watch_audience(), name="guard")

    async def disconnect(self, code: int) -> None:
        """Leave every topic."""
        self._sender.cancel()
        self._guard.cancel()
        await self.hub.disconnect(self)
        log.debug("socket_closed", code=code)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:  # noqa: ARG002
        """Handle one frame. A bad one is answered; too many end the connection."""
        at = asyncio.get_running_loop().time()
        if self._frames.exceeded_by(at):
            await self._end(protocol.CLOSE_TOO_MANY, "too_many_frames", _TOO_MANY)
            return
        ref = None
        try:
            frame = protocol.parse_frame(text_data)
            ref = frame.ref
            await self._handle(frame)
        except BadFrameError as exc:
            if self._bad_frames.exceeded_by(at):
                await self._end(protocol.CLOSE_BAD_FRAME, exc.code, exc.detail)
            else:
                self.push_reply(protocol.error(exc.code, exc.detail, ref))
        except NotAuthenticatedError as exc:
            await self._end(protocol.CLOSE_NOT_AUTHENTICATED, exc.code, exc.detail)
        except MeetingRoomsError as exc:
            self.push_reply(protocol.error(exc.code, exc.detail, ref))

    def push_room(self, topic: str, room_id: str, text: str) -> None:
        """Take a room's newest frame from the hub."""
        self._outbox.put_room((topic, room_id), text)

    def push_reply(self, text: str) -> None:
        """Take any other frame; a client that reads none of them is let go."""
        try:
            self._outbox.put_reply(text)
        except OutboxFullError:
            self._sender.cancel()
            log.warning("socket_too_slow")
            self._closing = asyncio.get_running_loop().create_task(
                self.close(protocol.CLOSE_TOO_SLOW), name="close-slow"
            )

    async def _handle(self, frame: protocol.ClientFrame) -> None:
        match frame:
            case Subscribe():
                await self._subscribe(frame)
            case Unsubscribe():
                topic = Topic.parse(frame.topic)
                self._topics.discard(topic)
                await self.hub.unsubscribe(self, topic)
                self.push_reply(protocol.unsubscribed(str(topic)))
            case Ping():
                self.push_reply(protocol.pong(frame.t, SYSTEM_CLOCK.now()))

    async def _subscribe(self, frame: Subscribe) -> None:
        topic = Topic.parse(frame.topic)
        if frame.view is not None:
            get_view(frame.view)  # refuse an unknown one before anything is joined
        if len(self._topics | {topic}) > protocol.MAX_TOPICS_PER_CONNECTION:
            raise LimitExceededError(
                f"One connection follows at most {protocol.MAX_TOPICS_PER_CONNECTION} topics.",
                code="too_many_topics",
            )
        await self.hub.subscribe(self, topic, Rendering(self._audience, frame.view), frame.have)
        self._topics.add(topic)

    async def _send_all(self) -> None:
        while True:
            await self.send(text_data=await self._outbox.get())

    async def _ask_audience(self) -> Audience:
        is_somebody = await self.scope["ask_user"]() is not None
        return Audience.STAFF if is_somebody else Audience.PUBLIC

    async def _watch_audience(self) -> None:
        """End the connection of somebody who has signed out, left or lost the token.

        While Postgres is away nobody can be asked; then the last answer holds.
        """
        while self._audience is Audience.STAFF:
            await asyncio.sleep(REVOKED_WITHIN_S)
            try:
                if await self._ask_audience() is Audience.PUBLIC:
                    await self._end(protocol.CLOSE_NOT_AUTHENTICATED, "signed_out", _SIGNED_OUT)
                    return
            except STORE_ERRORS as exc:
                log.warning("audience_not_asked", error=str(exc).strip())

    async def _end(self, close_code: int, code: str, detail: str) -> None:
        """Say why, then close: the reason must not wait behind the outbox."""
        self._sender.cancel()
        await self.send(text_data=protocol.error(code, detail))
        await self.close(close_code)


_SIGNED_OUT = "You are signed out here. Sign in again to go on."
_TOO_MANY = f"At most {protocol.MAX_FRAMES_PER_MINUTE} frames a minute. Connect again later."
