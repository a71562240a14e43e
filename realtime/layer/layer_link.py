"""Link of a hub to the channel layer: one channel, one group, and a probe that detects a lost link.

After an outage of Redis the layer subscribes again without a signal, and messages of the outage are
lost. So the link sends itself an echo every second. If echoes stop, the link is deaf; when they
return, `on_return` is called and all rooms are resynced.
"""

import asyncio
from collections.abc import Callable

import structlog
from channels.layers import BaseChannelLayer

from meeting_rooms.kernel.store_outages import Store, process_outages
from realtime import metrics
from realtime.layer.publisher import (
    GROUP,
    LAYER_ERRORS,
    ROOM_CHANGED,
    UnreadableChangeError,
    decode_change,
)
from realtime.state.live_state import LiveState

log = structlog.get_logger(__name__)

LAYER_TIMEOUT_S = 3.0  # of one call of the layer
ECHO_S = 1.0  # between two echoes, and between two attempts to join
REFUSED_PAUSE_S = 0.01  # after an unreadable message, so that many of them do not block other tasks
DEAF_AFTER_S = 3.0  # without an echo: three echoes are missing
ECHO = "echo"


class LayerLink:
    """Receives changes from the layer, and detects a lost link."""

    def __init__(
        self,
        layer: BaseChannelLayer,
        *,
        on_change: Callable[[LiveState, float], None],
        on_return: Callable[[], None],
    ) -> None:
        self._layer = layer
        self._on_change = on_change
        self._on_return = on_return
        self._channel = ""
        self._joined = asyncio.Event()
        self._heard_at = 0.0  # loop time
        self.is_deaf = True

    async def listen(self) -> None:
        """Join the group, then pass each change to `on_change` until cancelled."""
        while True:
            if await self._join():
                break
            await asyncio.sleep(ECHO_S)
        while True:
            try:
                message = await self._layer.receive(self._channel)
            except (ValueError, TypeError) as exc:  # any client of this Redis can send any message
                self._refuse(repr(exc))
                await asyncio.sleep(REFUSED_PAUSE_S)  # `receive` may return without waiting
                continue
            kind = message.get("type") if isinstance(message, dict) else None
            if kind == ROOM_CHANGED:
                self._take(message)
            elif kind == ECHO:
                self._hear()
            else:
                self._refuse(f"a message of type {kind!r:.80}")

    async def probe(self) -> None:
        """Send an echo every ECHO_S until cancelled; set `is_deaf` if none returns."""
        loop = asyncio.get_running_loop()
        await self._joined.wait()
        while True:
            try:
                async with asyncio.timeout(LAYER_TIMEOUT_S):
                    await self._layer.send(self._channel, {"type": ECHO})
            except LAYER_ERRORS as exc:
                log.warning("layer_away", store=Store.REDIS, error=exc)
            await asyncio.sleep(ECHO_S)
            if not self.is_deaf and loop.time() - self._heard_at > DEAF_AFTER_S:
                self.is_deaf = True
                log.warning("layer_deaf", since_s=round(loop.time() - self._heard_at, 1))

    async def _join(self) -> bool:
        try:
            async with asyncio.timeout(LAYER_TIMEOUT_S):
                self._channel = await self._layer.new_channel()
                await self._layer.group_add(GROUP, self._channel)
        except LAYER_ERRORS as exc:
            log.warning("group_not_joined", store=Store.REDIS, error=exc)
            await self._forget_attempt()
            return False
        self._joined.set()
        return True

    async def _forget_attempt(self) -> None:
        """Remove what the layer stored for the failed channel, so that retries do not add up."""
        try:
            async with asyncio.timeout(LAYER_TIMEOUT_S):
                await self._layer.flush()
        except LAYER_ERRORS as exc:
            log.warning("layer_not_flushed", store=Store.REDIS, error=exc)

    def _hear(self) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        process_outages.answered(Store.REDIS)
        if self.is_deaf:
            self.is_deaf = False
            log.info("layer_heard")
            self._on_return()

    def _take(self, message: dict[str, object]) -> None:
        try:
            state, published_at = decode_change(message)
        except UnreadableChangeError as exc:
            self._refuse(repr(exc.__cause__))
            return
        self._on_change(state, published_at)

    def _refuse(self, reason: object) -> None:
        metrics.changes_unreadable_total.inc()
        log.warning("change_dropped", reason=reason)
