"""The hub's link to the channel layer: one channel, one group, and a probe that shows a lost link.

The layer re-subscribes silently after Redis was away, and what was published meanwhile is gone
without a sign. So the link sends itself an echo every second: when echoes stop it is deaf, and when
they come back everything is resynced.
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

LAYER_TIMEOUT_S = 3.0
ECHO_S = 1.0
REFUSED_PAUSE_S = (
    0.01  # after a message that cannot be read: a flood of them leaves time for others
)
DEAF_AFTER_S = 3.0
ECHO = "echo"


class LayerLink:
    """Listens for changes until cancelled."""

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
        """Join the group and hand on what comes."""
        while True:
            if await self._join():
                break
            await asyncio.sleep(ECHO_S)
        while True:
            try:
                message = await self._layer.receive(self._channel)
            except (ValueError, TypeError) as exc:  # whoever has Redis can send anything
                self._refuse(repr(exc))
                await asyncio.sleep(REFUSED_PAUSE_S)  # `receive` itself need not have waited
                continue
            kind = message.get("type") if isinstance(message, dict) else None
            if kind == ROOM_CHANGED:
                self._take(message)
            elif kind == ECHO:
                self._hear()
            else:
                self._refuse(f"a message of type {kind!r:.80}")

    async def probe(self) -> None:
        """Send echoes, and notice when none comes back."""
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
        """Drop what the layer keeps of a channel that never came to be, or retries pile up."""
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
