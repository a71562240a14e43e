"""Guards switched off, one by each patch. A row must fail without its guard, or proves nothing."""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any

import psycopg
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import InterfaceError, OperationalError
from pydantic import ConfigDict, TypeAdapter

import booking.api.bookings
import realtime.hub.hub
import realtime.layer.layer_link
import realtime.layer.publisher
import realtime.store.live_store
import realtime.worker.worker
from meeting_rooms.api import api
from meeting_rooms.management.commands import serve
from realtime.delivery import transports
from realtime.hub.mirror import Mirror, Verdict
from realtime.protocol import messages
from realtime.socket.consumer import LiveConsumer

FOR_EVER_S = 3600.0


def sweep_off() -> None:
    """Renew the lease every second, and look for no missed change."""

    async def sweep(self: Any) -> None:
        await self._store.renew_lease()
        await asyncio.sleep(realtime.worker.worker.SWEEP_S)

    realtime.worker.worker.Worker._sweep = sweep


def heal_off() -> None:
    """Compare with the store only once, and later only pretend to."""
    real = realtime.hub.hub.Hub.compare

    async def compare(self: Any) -> None:
        self._compare_now.clear()
        if self._compared_at == -inf:
            await real(self)
        self._compared_at = asyncio.get_running_loop().time()

    realtime.hub.hub.Hub.compare = compare


def vouch_always() -> None:
    """Claim to be live with a fresh proof, in every state."""
    realtime.hub.hub.Hub.is_live = lambda _self: True
    now = property(lambda _self: asyncio.get_running_loop().time(), lambda _self, _value: None)
    realtime.hub.hub.Hub._proved_at = now


def skew_unnoticed() -> None:
    """Trust the process's own clock."""
    realtime.store.live_store.MAX_SKEW_S = realtime.hub.hub.MAX_SKEW_S = (
        realtime.worker.worker.MAX_SKEW_S
    ) = inf


def version_rule_off() -> None:
    """Accept every state from the layer as the newest."""

    def accept(self: Mirror, state: Any) -> Verdict:
        self._put(state)
        return Verdict.NEXT

    Mirror.accept = accept


def idempotency_off() -> None:
    """Ignore the key of a command."""
    real = booking.api.bookings.book_rooms

    def book_rooms(**command: Any) -> Any:
        return real(**{**command, "idempotency_key": None})

    booking.api.bookings.book_rooms = book_rooms


def publish_unbounded() -> None:
    """Wait for the layer without a time limit."""
    realtime.layer.publisher.PUBLISH_TIMEOUT_S = FOR_EVER_S


def store_unbounded() -> None:
    """Wait for the stores without a time limit."""
    settings.STORE_TIMEOUT_S = FOR_EVER_S


def unavailable_unhandled() -> None:
    """Handle a store that is away like a bug."""
    for kind in (OperationalError, InterfaceError):
        del api._exception_handlers[kind]


def postgres_unbounded() -> None:
    """Wait for an answer of Postgres without a time limit."""
    settings.DATABASES["default"]["OPTIONS"]["pool"]["connection_class"] = psycopg.Connection


def postgres_patient() -> None:
    """Wait for a connection, and between attempts, for the default times of psycopg's pool."""
    options = settings.DATABASES["default"]["OPTIONS"]["pool"]
    del options["timeout"], options["reconnect_timeout"]


def ping_off() -> None:
    """Never ping a socket."""
    serve.PING_INTERVAL_S = serve.PING_TIMEOUT_S = 0


def drain_off() -> None:
    """End without closing sockets in an orderly way."""

    async def drain(_number: int) -> None:
        serve.shared_connections().is_draining = True

    serve.drain = drain


def wire_unbounded() -> None:
    """Send without a limit on unread data, and end no slow client."""
    settings.DIRECT_SEND = False
    transports.WINDOW = FOR_EVER_S * 1e9
    transports.AsgiTransport.taken = lambda _self: None


def layer_per_socket() -> None:
    """Give each socket its own channel, over a pool of 100 connections."""
    LiveConsumer.__call__ = AsyncWebsocketConsumer.__call__
    host = {**_host(), "max_connections": 100}
    settings.CHANNEL_LAYERS["default"] = {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [host], "prefix": settings.REDIS_PREFIX},
    }


def _host() -> dict[str, object]:
    host: dict[str, object] = settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]
    return host


def layer_core() -> None:
    """Store messages in Redis, like the other layer of channels_redis."""
    settings.CHANNEL_LAYERS["default"] = {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            "hosts": [_host()],
            "prefix": settings.REDIS_PREFIX,
        },
    }


def decode_unguarded() -> None:
    """Assume that every frame and every message is readable."""
    real_frame, real_change = messages.parse_frame, realtime.layer.layer_link.decode_change

    def parse_frame(text: str | None) -> Any:
        try:
            return real_frame(text)
        except messages.BadFrameError as exc:
            raise ValueError from exc

    def decode_change(message: Any) -> Any:
        try:
            return real_change(message)
        except realtime.layer.layer_link.UnreadableChangeError as exc:
            raise ValueError from exc

    messages.parse_frame = parse_frame
    realtime.layer.layer_link.decode_change = decode_change


def unknown_forbidden() -> None:
    """Refuse a frame with a member of a later release."""
    for kind in (messages.Subscribe, messages.Unsubscribe, messages.Ping, messages.Ack):
        kind.model_config = ConfigDict(frozen=True, extra="forbid")
        kind.model_rebuild(force=True)
    messages._ADAPTER = TypeAdapter(messages._ADAPTER._type)


PATCHES: dict[str, Callable[..., None]] = {
    one.__name__: one
    for one in (
        sweep_off,
        heal_off,
        vouch_always,
        skew_unnoticed,
        version_rule_off,
        idempotency_off,
        publish_unbounded,
        store_unbounded,
        unavailable_unhandled,
        postgres_unbounded,
        postgres_patient,
        ping_off,
        drain_off,
        wire_unbounded,
        layer_per_socket,
        layer_core,
        decode_unguarded,
        unknown_forbidden,
    )
}
