"""What waits to be sent to one connection: bounded, and never more than the newest state of a room.

A room's frame that is still waiting is replaced by the next one, so a client that is behind skips
to the present instead of replaying the past. That needs a server whose send waits; Daphne's does
not, and lets the ping time-out end a client that never reads. Other frames are few, because the
client causes them; a client that causes more than it reads is closed.
"""

import asyncio

MAX_WAITING_REPLIES = 64


class OutboxFullError(Exception):
    """The client does not read what it asks for."""


class Outbox:
    """Frames in the order they shall leave, keyed so that a newer one can replace an older one."""

    def __init__(self) -> None:
        self._frames: dict[object, str] = {}
        self._waiting_replies = 0
        self._ready = asyncio.Event()
        self.conflated = 0

    def put_room(self, key: tuple[str, str], text: str) -> None:
        """Queue a room's newest frame behind all others, in place of one that still waits."""
        if self._frames.pop(key, None) is not None:
            self.conflated += 1
        self._frames[key] = text
        self._ready.set()

    def put_reply(self, text: str) -> None:
        """Queue any other frame. Raises OutboxFullError beyond MAX_WAITING_REPLIES."""
        if self._waiting_replies >= MAX_WAITING_REPLIES:
            raise OutboxFullError
        self._waiting_replies += 1
        self._frames[object()] = text
        self._ready.set()

    async def get(self) -> str:
        """Wait for the next frame and take it."""
        while not self._frames:
            self._ready.clear()
            await self._ready.wait()
        key = next(iter(self._frames))
        if not isinstance(key, tuple):
            self._waiting_replies -= 1
        return self._frames.pop(key)
