"""A peer: Channels as in its tutorial, for clients that sign in and request a snapshot.

An ASGI application for Daphne with the settings, channel layer and API tokens of the product. Like
the product it checks the token at every handshake and answers `subscribe` with the rooms of the
topic. The rooms are read from MongoDB once, not per client.
"""

import json
import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_rooms.settings")
django.setup()

from channels.db import database_sync_to_async  # noqa: E402 - needs the settings

from identity.commands.authenticate_api_token import authenticate_api_token  # noqa: E402
from infra.bench.peers.naive import GROUP, NaiveConsumer  # noqa: E402
from meeting_rooms.kernel.clock import SYSTEM_CLOCK  # noqa: E402
from realtime.protocol import messages  # noqa: E402
from realtime.state.topics import Topic  # noqa: E402
from realtime.store.live_store import shared_store  # noqa: E402

_snapshots: dict[str, Any] = {}


class JoinedConsumer(NaiveConsumer):
    """One check of a token, one channel, one subscription and one encoding per client."""

    async def connect(self) -> None:
        """Accept the connection if the token is valid, else close the connection."""
        headers = dict(self.scope["headers"])
        secret = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
        if await database_sync_to_async(authenticate_api_token)(secret=secret) is None:
            await self.close()
        else:
            await self.accept()

    async def receive_json(self, content: Any, **_kwargs: Any) -> None:
        """Join the group, then send the snapshot."""
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.send_json(await _snapshot(content["topic"]))


async def _snapshot(topic: str) -> Any:
    if topic not in _snapshots:
        states = await shared_store().states(Topic.parse(topic))
        bodies = [messages.encode(messages.room_body(state)) for state in states]
        text = messages.snapshot(topic, SYSTEM_CLOCK.now(), bodies, (), full=True)
        _snapshots[topic] = json.loads(text)
    return _snapshots[topic]


application = JoinedConsumer.as_asgi()
