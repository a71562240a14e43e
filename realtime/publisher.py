"""Publishing into the channel layer: a hint to the hubs that a room has changed.

The layer may drop it; the version then tells, and the hubs heal from the store. So a failure here
is counted and logged, and never fails the write that it follows.
"""

import asyncio
from typing import Any

import bson
import structlog
from channels.layers import BaseChannelLayer
from redis.exceptions import RedisError

from realtime.domain.state import LiveState
from realtime.domain.topics import topics_of
from realtime.store import CODEC

log = structlog.get_logger(__name__)
PUBLISH_TIMEOUT_S = 2.0
MUTE_S = 5.0  # a layer that hangs must not slow projection down to its time-outs
ROOM_CHANGED = "room.changed"


class UnreadableChangeError(Exception):
    """A message in the layer is not what `publish` sends; the store knows the truth anyway."""


class Publisher:
    """Sends each new state to the groups of its topics."""

    def __init__(self, layer: BaseChannelLayer) -> None:
        self._layer = layer
        self.dropped = 0
        self._mute_until = 0.0  # loop time

    async def publish(self, state: LiveState) -> None:
        """Send the state to every topic it belongs to; never raises for a layer that is away."""
        now = asyncio.get_running_loop().time()
        if now < self._mute_until:
            self.dropped += 1
            return
        message = {"type": ROOM_CHANGED, "state": bson.encode(state.as_document())}
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                for topic in topics_of(state):
                    await self._layer.group_send(topic.group, {**message, "topic": str(topic)})
        except (RedisError, OSError, TimeoutError) as exc:
            self.dropped += 1
            self._mute_until = now + MUTE_S
            log.warning("publish_dropped", room=state.id, version=state.version, error=repr(exc))


def decode_change(message: dict[str, Any]) -> tuple[str, LiveState]:
    """Read what `publish` sent: the topic and the state. Raises UnreadableChangeError."""
    try:
        doc = bson.decode(message["state"], codec_options=CODEC)
        return message["topic"], LiveState.from_document(doc)
    except (bson.InvalidBSON, KeyError, TypeError, ValueError) as exc:
        raise UnreadableChangeError from exc
