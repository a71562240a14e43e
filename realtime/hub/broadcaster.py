"""Broadcast: tells the followers of every topic what has changed, and that it may be believed.

One task sends everything, so that a heartbeat always leaves behind the changes that its digest
covers. Changes that come close together leave together; the loop is yielded between slices, so that
no change, however many screens follow it, holds up anything else for long.
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

# A lone change leaves at once; those within this time of the last telling leave together.
PAUSE_S = 0.01
SLICE = 256  # sends between two yields: 1 to 3 ms

_Following = dict[Topic, Audience]


class Broadcaster:
    """The feeds of one process, and the task that sends."""

    def __init__(self, mirror: Mirror, clock: Clock) -> None:
        self._mirror = mirror
        self._clock = clock
        self._feeds: dict[Topic, TopicSubscribers] = {}
        self._following: dict[Subscriber, _Following] = {}
        self._marked: dict[TopicSubscribers, None] = {}
        self._published: list[float] = []  # POSIX seconds, of the changes that wait
        self._beat_of: float | None = None  # loop time of the proof that waits to be sent
        self._wake = asyncio.Event()
        self.cache = FragmentCache()

    def follow(
        self, subscriber: Subscriber, topic: Topic, rendering: Rendering
    ) -> TopicSubscribers:
        """Let a connection follow a topic; the feed is made with the first of them."""
        feed = self._feeds.get(topic)
        if feed is None:
            feed = TopicSubscribers(topic, self._mirror.states(topic), self.cache)
            self._feeds[topic] = feed
        feed.add(subscriber, rendering)
        self._following.setdefault(subscriber, {})[topic] = rendering.audience
        return feed

    def unfollow(self, subscriber: Subscriber, topic: Topic) -> None:
        """End it. Harmless when there is nothing to end."""
        following = self._following.get(subscriber, {})
        if following.pop(topic, None) is None:
            return
        if not following:
            del self._following[subscriber]
        feed = self._feeds[topic]
        feed.remove(subscriber)
        if feed.is_idle:
            del self._feeds[topic]
            self._marked.pop(feed, None)

    def leave(self, subscriber: Subscriber) -> None:
        """End everything that a connection follows."""
        for topic in list(self._following.get(subscriber, ())):
            self.unfollow(subscriber, topic)

    def changed(
        self, before: LiveState | None, after: LiveState | None, published_at: float | None = None
    ) -> None:
        """Note a change of a room, to be told soon; None means that there was, or is, no room."""
        now_in = set(topics_of(after)) if after else set()
        was_in = set(topics_of(before)) if before else set()
        for topic in now_in | was_in:
            if feed := self._feeds.get(topic):
                room = after or before
                feed.mark(room.id if room else "", after if topic in now_in else None)
                self._marked[feed] = None
        if before and not after:
            self.cache.forget(before.id)
        if published_at is not None:
            self._published.append(published_at)
        self._wake.set()

    def beat(self, proved_at: float) -> None:
        """Send proof of life, of this loop time, to everybody, behind the changes that wait."""
        self._beat_of = proved_at
        self._wake.set()

    def heartbeat(self, subscriber: Subscriber, proved_at: float) -> Frame:
        """Encode proof of life, of this loop time, for one connection."""
        return self._heartbeat(self._following.get(subscriber, {}), proved_at)

    async def run(self) -> None:
        """Send until cancelled."""
        loop, sent_at = asyncio.get_running_loop(), -inf
        while True:
            await self._wake.wait()
            # Only where something waits: a timer after every change would wake the process again.
            if (pause_s := sent_at + PAUSE_S - loop.time()) > 0:
                await asyncio.sleep(pause_s)
            self._wake.clear()
            await self.tell()
            sent_at = loop.time()

    async def tell(self) -> None:
        """Encode all that waits at one instant, heartbeats last; then send it in slices."""
        now, started = self._clock.now(), asyncio.get_running_loop().time()
        marked, self._marked = self._marked, {}
        published, self._published = self._published, []
        batches = [one for feed in marked for one in feed.flush(now)]
        proved_at, self._beat_of = self._beat_of, None
        beats = [] if proved_at is None else self._beats(proved_at)
        sliced = _Slices()
        for wires, batch in batches:
            await sliced.send(wires, methodcaller("push", batch))
        if batches:
            metrics.fan_out_seconds.observe(asyncio.get_running_loop().time() - started)
            sent_at = self._clock.now().timestamp()
            for at in published:
                metrics.publish_to_send_seconds.observe(max(0.0, sent_at - at))
        for wires, frame in beats:
            await sliced.send(wires, methodcaller("beat", frame))

    def _beats(self, proved_at: float) -> Iterable[tuple[list[Transport], Frame]]:
        """Encode heartbeats, one for all connections that follow the same as the same audience."""
        alike: dict[frozenset[tuple[Topic, Audience]], list[Transport]] = {}
        for subscriber, following in self._following.items():
            alike.setdefault(frozenset(following.items()), []).append(subscriber.wire)
        return [(wires, self._heartbeat(dict(key), proved_at)) for key, wires in alike.items()]

    def _heartbeat(self, following: _Following, proved_at: float) -> Frame:
        digests = {str(t): self._feeds[t].digest(audience) for t, audience in following.items()}
        age_ms = round((asyncio.get_running_loop().time() - proved_at) * 1000)
        return Frame(messages.heartbeat(self._clock.now(), age_ms, digests))


class _Slices:
    """Sends, yields the loop after every SLICE or so, and lets no connection spoil another's."""

    def __init__(self) -> None:
        self._sent = 0

    async def send(self, wires: Sequence[Transport], call: Callable[[Transport], object]) -> None:
        for first in range(0, len(wires), SLICE):
            some = wires[first : first + SLICE]
            for wire in some:
                try:
                    call(wire)
                except Exception:  # logged whole; the others must get theirs
                    log.exception("send_failed")
            self._sent += len(some)
            if self._sent >= SLICE:
                self._sent = 0
                await asyncio.sleep(0)
