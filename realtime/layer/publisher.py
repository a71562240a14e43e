"""Publish changes of rooms into the channel layer, as hints to the hubs.

Every change is published once, to one group: each hub mirrors all rooms and knows their subscribers
(docs/decisions/0003). The layer may drop a message; hubs notice the missing version and read the
store. So a failed publication is counted and logged, and the write before it still succeeds.
"""

import asyncio
from typing import Any

import bson
import structlog
from channels.layers import BaseChannelLayer
from redis.exceptions import RedisError

from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from meeting_rooms.kernel.store_outages import Store, process_outages
from realtime import metrics
from realtime.state.live_state import LiveState
from realtime.store.mongo_link import CODEC

log = structlog.get_logger(__name__)
PUBLISH_TIMEOUT_S = 2.0
MUTE_S = 5.0  # no attempts for this time after a failure: time-outs must not slow down projection
GROUP = "live"
ROOM_CHANGED = "room.changed"
# uvloop answers a write on a connection that was just reset with a bare RuntimeError.
LAYER_ERRORS = (RedisError, OSError, TimeoutError, RuntimeError)


class UnreadableChangeError(Exception):
    """A message in the layer is not a valid change. The hub ignores it; the store has the state."""


class Publisher:
    """Publishes new states to all hubs."""

    def __init__(self, layer: BaseChannelLayer, clock: Clock = SYSTEM_CLOCK) -> None:
        self._layer = layer
        self._clock = clock
        self._mute_until = 0.0  # loop time

    async def publish(self, state: LiveState) -> bool:
        """Publish the state to every hub; return False, without an error, if the layer is away."""
        now = asyncio.get_running_loop().time()
        if now < self._mute_until:
            metrics.publishes_dropped_total.inc()
            return False
        document = bson.encode(state.as_document())
        published_at = self._clock.now().timestamp()
        message = {"type": ROOM_CHANGED, "state": document, "at": published_at}
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                await self._layer.group_send(GROUP, message)
        except LAYER_ERRORS as exc:
            metrics.publishes_dropped_total.inc()
            self._mute_until = now + MUTE_S
            log.warning("publish_dropped", room=state.id, store=Store.REDIS, error=exc)
            return False
        process_outages.answered(Store.REDIS)
        return True


def decode_change(message: dict[str, Any]) -> tuple[LiveState, float]:
    """Return the state of a message and its publication time in POSIX seconds.

    Raises UnreadableChangeError if `publish` cannot have sent the message.
    """
    try:
        doc = bson.decode(message["state"], codec_options=CODEC)
        return LiveState.from_document(doc), float(message["at"])
    except (bson.InvalidBSON, KeyError, TypeError, ValueError) as exc:
        raise UnreadableChangeError from exc
