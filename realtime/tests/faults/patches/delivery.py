"""A channel layer that loses, repeats and reorders messages; a wrong clock; a later release."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer, _async_proxy

from meeting_rooms.kernel.clock import SystemClock
from realtime.protocol import messages
from realtime.socket.consumer import LiveConsumer
from realtime.worker.worker import Worker

SWAP_AMONG = 4  # messages that are reordered together
SWAP_WAIT_S = 0.3  # after so long the waiting messages are sent, however few
REPEATS = 3

Send = Callable[[str, dict[str, Any]], Any]


def _replace_group_send(make: Callable[[Send], Send]) -> None:
    """Replace every layer's `group_send` by `make(real)`."""

    def group_send(self: RedisPubSubChannelLayer) -> Send:
        async def real(group: str, message: dict[str, Any]) -> None:
            await _async_proxy(self, "group_send", group, message)

        sends = self.__dict__.setdefault("_faulty_sends", {})
        loop = asyncio.get_running_loop()
        if loop not in sends:
            sends[loop] = make(real)
        return sends[loop]

    RedisPubSubChannelLayer.group_send = property(group_send)


def lose(share: str) -> None:
    """Drop this share of all messages."""
    chance, dropped = random.Random(7), float(share)

    def make(real: Send) -> Send:
        async def send(group: str, message: dict[str, Any]) -> None:
            if chance.random() >= dropped:
                await real(group, message)

        return send

    _replace_group_send(make)


def repeat() -> None:
    """Send each message REPEATS times, the last time late."""

    def make(real: Send) -> Send:
        late: set[asyncio.Task[None]] = set()

        async def later(group: str, message: dict[str, Any]) -> None:
            await asyncio.sleep(SWAP_WAIT_S)
            await real(group, message)

        async def send(group: str, message: dict[str, Any]) -> None:
            for _ in range(REPEATS - 1):
                await real(group, message)
            task = asyncio.get_running_loop().create_task(later(group, message))
            late.add(task)
            task.add_done_callback(late.discard)

        return send

    _replace_group_send(make)


def swap() -> None:
    """Hold messages back until there are SWAP_AMONG of them, and send them in reverse order."""

    def make(real: Send) -> Send:
        waiting: list[tuple[str, dict[str, Any]]] = []
        tasks: set[asyncio.Task[None]] = set()

        async def flush() -> None:
            batch = waiting[::-1]
            waiting.clear()
            for group, message in batch:
                await real(group, message)

        async def flush_late() -> None:
            await asyncio.sleep(SWAP_WAIT_S)
            await flush()

        async def send(group: str, message: dict[str, Any]) -> None:
            waiting.append((group, message))
            if len(waiting) >= SWAP_AMONG:
                await flush()
            elif len(waiting) == 1:
                task = asyncio.get_running_loop().create_task(flush_late())
                tasks.add(task)
                task.add_done_callback(tasks.discard)

        return send

    _replace_group_send(make)


def deaf() -> None:
    """Let a worker miss every notification of Postgres, like after a crash right after a commit."""

    async def listen(_self: Worker) -> None:
        await asyncio.sleep(3600)

    Worker._listen = listen


def skew(seconds: str) -> None:
    """Set this process's clock wrong by so many seconds."""
    real, off = SystemClock.now, timedelta(seconds=float(seconds))

    def now(self: SystemClock) -> datetime:
        return real(self) + off

    SystemClock.now = now


def next_release() -> None:
    """Send frames like a later release: unknown members, an unknown frame, another build."""
    real_encode, real_connect = messages.encode, LiveConsumer.connect

    def encode(frame: Any) -> str:
        if "type" in frame:
            frame = {**frame, "novelty": {"deep": [1, None]}}
            if frame["type"] == "hello":
                frame["build"] = "next"
        return real_encode(frame)

    async def connect(self: LiveConsumer) -> None:
        await real_connect(self)
        self._reply(real_encode({"type": "fanfare", "topic": "house", "rooms": 7}))

    messages.encode = encode
    LiveConsumer.connect = connect


PATCHES: dict[str, Callable[..., None]] = {
    one.__name__: one for one in (lose, repeat, swap, deaf, skew, next_release)
}
