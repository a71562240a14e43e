"""The broadcaster: sends changes and heartbeats to the subscribers of every topic.

One task sends all frames, so a heartbeat always follows the changes that its digest covers. Changes
within PAUSE_S are sent together. The task yields to the event loop between slices, so a change with
many subscribers does not delay other work for long.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from math import inf
from operator import methodcaller

import structlog

from meeting_rooms.kernel.clock import Clock
from realtime import metrics
from realtime.delivery.encoded_frame import Frame
from realtime.delivery.transports import Transport
from realtime.hub.fragments import FragmentCache, Rendering
from realtime.hub.mirror import Mirror
from realtime.hub.topic_subscribers import Subscriber, TopicSubscribers
from realtime.protocol import messages
from realtime.state.live_state import Audience, LiveState
from realtime.state.topics import Topic, topics_of

log = structlog.get_logger(__name__)

# Seconds. A single change is sent at once; changes within PAUSE_S of a flush wait for the next one.
PAUSE_S = 0.01
SLICE = 256  # sends between two yields: 1 to 3 ms

_Following = dict[Topic, Audience]


class Broadcaster:
    """The followed topics of one process, and the task that sends."""

    def __init__(self, mirror: Mirror, clock: Clock) -> None:
        self._mirror = mirror
        self._clock = clock
        self._topics: dict[Topic, TopicSubscribers] = {}
        self._following: dict[Subscriber, _Following] = {}
        self._marked: dict[TopicSubscribers, None] = {}
        self._published: list[float] = []  # POSIX seconds, of the unsent changes
        self._beat_proved_at: float | None = None  # loop time; None: no unsent heartbeat
        self._wake = asyncio.Event()
        self.cache = FragmentCache()

    def follow(
        self, subscriber: Subscriber, topic: Topic, rendering: Rendering
    ) -> TopicSubscribers:
        """Subscribe a connection to a topic and return all subscribers of the topic."""
        subscribers = self._topics.get(topic)
        if subscribers is None:
            subscribers = TopicSubscribers(topic, self._mirror.states(topic), self.cache)
            self._topics[topic] = subscribers
        subscribers.add(subscriber, rendering)
        self._following.setdefault(subscriber, {})[topic] = rendering.audience
        return subscribers

    def unfollow(self, subscriber: Subscriber, topic: Topic) -> None:
        """End one subscription. Does nothing if the connection does not follow the topic."""
        following = self._following.get(subscriber, {})
        if following.pop(topic, None) is None:
            return
        if not following:
            del self._following[subscriber]
        subscribers = self._topics[topic]
        subscribers.remove(subscriber)
        if subscribers.is_idle:
            del self._topics[topic]
            self._marked.pop(subscribers, None)

    def leave(self, subscriber: Subscriber) -> None:
        """End all subscriptions of a connection."""
        for topic in list(self._following.get(subscriber, ())):
            self.unfollow(subscriber, topic)

    def changed(
        self, before: LiveState | None, after: LiveState | None, published_at: float | None = None
    ) -> None:
        """Queue the change of a room for the next flush; None: the room does not exist."""
        now_in = set(topics_of(after)) if after else set()
        was_in = set(topics_of(before)) if before else set()
        for topic in now_in | was_in:
            if subscribers := self._topics.get(topic):
                room = after or before
                subscribers.mark(room.id if room else "", after if topic in now_in else None)
                self._marked[subscribers] = None
        if before and not after:
            self.cache.forget(before.id)
        if published_at is not None:
            self._published.append(published_at)
        self._wake.set()

    def beat(self, proved_at: float) -> None:
        """Queue a heartbeat for all subscribers, after the unsent changes.

        `proved_at` is the loop time of the proof.
        """
        self._beat_proved_at = proved_at
        self._wake.set()

    def heartbeat(self, subscriber: Subscriber, proved_at: float) -> Frame:
        """Encode a heartbeat for one connection; `proved_at` is a loop time."""
        return self._heartbeat(self._following.get(subscriber, {}), proved_at)

    async def run(self) -> None:
        """Send until cancelled."""
        loop, sent_at = asyncio.get_running_loop(), -inf
        while True:
            await self._wake.wait()
            # Pause only before a flush: a timer after every flush would wake the process again.
            if (pause_s := sent_at + PAUSE_S - loop.time()) > 0:
                await asyncio.sleep(pause_s)
            self._wake.clear()
            await self.flush()
            sent_at = loop.time()

    async def flush(self) -> None:
        """Encode all unsent changes and heartbeats now; send them in slices, changes first."""
        now, started = self._clock.now(), asyncio.get_running_loop().time()
        marked, self._marked = self._marked, {}
        published, self._published = self._published, []
        batches = [batch for subscribers in marked for batch in subscribers.flush(now)]
        proved_at, self._beat_proved_at = self._beat_proved_at, None
        beats = [] if proved_at is None else self._beats(proved_at)
        sliced = _Slices()
        for transports, batch in batches:
            await sliced.send(transports, methodcaller("push", batch))
        if batches:
            metrics.fan_out_seconds.observe(asyncio.get_running_loop().time() - started)
            sent_at = self._clock.now().timestamp()
            for at in published:
                metrics.publish_to_send_seconds.observe(max(0.0, sent_at - at))
        for transports, frame in beats:
            await sliced.send(transports, methodcaller("beat", frame))

    def _beats(self, proved_at: float) -> Iterable[tuple[list[Transport], Frame]]:
        """Encode one heartbeat for all connections with the same topics and audiences."""
        by_following: dict[frozenset[tuple[Topic, Audience]], list[Transport]] = {}
        for subscriber, following in self._following.items():
            by_following.setdefault(frozenset(following.items()), []).append(subscriber.transport)
        return [
            (transports, self._heartbeat(dict(key), proved_at))
            for key, transports in by_following.items()
        ]

    def _heartbeat(self, following: _Following, proved_at: float) -> Frame:
        digests = {str(t): self._topics[t].digest(audience) for t, audience in following.items()}
        age_ms = round((asyncio.get_running_loop().time() - proved_at) * 1000)
        return Frame(messages.heartbeat(self._clock.now(), age_ms, digests))


class _Slices:
    """Sends to many connections: yields after about SLICE sends, continues after an error."""

    def __init__(self) -> None:
        self._sent = 0

    async def send(
        self, transports: Sequence[Transport], call: Callable[[Transport], object]
    ) -> None:
        for first in range(0, len(transports), SLICE):
            part = transports[first : first + SLICE]
            for transport in part:
                try:
                    call(transport)
                except Exception:  # logged with its traceback; the others get the frame
                    log.exception("send_failed")
            self._sent += len(part)
            if self._sent >= SLICE:
                self._sent = 0
                await asyncio.sleep(0)
