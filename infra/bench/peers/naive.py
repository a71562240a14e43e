"""A peer: Channels as in its tutorial, with one group membership and `send_json` per consumer.

An ASGI application for Daphne with the settings and the channel layer of the product.
"""

import json
import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_rooms.settings")
django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402 - needs the settings

GROUP = os.environ.get("BENCH_CHANNEL", "bench")


class NaiveConsumer(AsyncJsonWebsocketConsumer):
    """One channel, one subscription and one encoding per client."""

    async def connect(self) -> None:
        """Join the group, then accept."""
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def disconnect(self, _code: int) -> None:
        """Leave the group."""
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def room_update(self, event: dict[str, Any]) -> None:
        """Send the frame of the event."""
        await self.send_json(event["frame"])

    @classmethod
    async def encode_json(cls, content: Any) -> str:
        """Encode compactly, so that all servers send the same bytes."""
        return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


application = NaiveConsumer.as_asgi()
