"""The hub: one per process, between the channel layer and this process's connections.

It joins a topic's group when the first connection subscribes, mirrors the topic, answers snapshots
from the mirror, and hands each change to its subscribers. What the layer drops it heals from the
store. It claims to be live only while the store answers and a projector is at work.
"""

import asyncio
from contextlib import suppress
from math import inf
from weakref import WeakKeyDictionary

import structlog
from channels.layers import BaseChannelLayer, get_channel_layer
from redis.exceptions import RedisError

from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from meeting_rooms.kernel.errors import NotAuthenticatedError, NotFoundError, UnavailableError
from realtime.domain import protocol
from realtime.domain.state import Audience, Mark
from realtime.domain.topics import Topic
from realtime.feed import Rendering, Subscriber, TopicFeed
from realtime.publisher import UnreadableChangeError, decode_change
from realtime.store import LiveStore, shared_store

log = structlog.get_logger(__name__)

HEAL_S = 1.0
LEASE_MAX_AGE_S = 3.0  # a projector renews it every second
JUDGEMENT_MAX_AGE_S = 5.0
LAYER_TIMEOUT_S = 3.0
LAYER_ERRORS = (RedisError, OSError, TimeoutError)

Digests = dict[tuple[str, Audience], int]  # by topic and audience


class Hub:
    """Topics, mirrors and subscribers of one process."""

    def __init__(self, store: LiveStore, layer: BaseChannelLayer, clock: Clock) -> None:
        self._store = store
        self._layer = layer
        self._clock = clock
        self._feeds: dict[str, TopicFeed] = {}
        self._membership = asyncio.Lock()  # joining and leaving a group must not cross
        self._channel: str | None = None
        self._has_channel = asyncio.Event()
        self._heal_now = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_lease_young = False
        self._judged_at = -inf  # loop time of the last judgement of liveness

    async def subscribe(
        self,
        subscriber: Subscriber,
        topic: Topic,
        rendering: Rendering,
        have: dict[str, Mark],
    ) -> None:
        """Send a snapshot of the topic, then every change of it.

        The group is joined before the store is read, so no change falls between the two; one that
        arrives twice has a version that is known already.
        Raises: NotFoundError (staff) or NotAuthenticatedError (public) for a topic that is not
        there or not theirs, which the public cannot tell apart; UnavailableError.
        """
        feed = await self._joined(topic)
        if not feed.is_readable(rendering.audience):
            await self._leave_if_idle(feed)
            if rendering.audience is Audience.PUBLIC:
                raise NotAuthenticatedError(f"Sign in to follow '{topic}', or check its name.")
            raise NotFoundError(f"There is no topic '{topic}' with rooms in it.")
        feed.subscribers[subscriber] = rendering
        subscriber.push_reply(feed.snapshot(rendering, have, self._clock.now()))
        if self._may_vouch():
            subscriber.push_reply(self._heartbeat(subscriber, {}))

    async def unsubscribe(self, subscriber: Subscriber, topic: Topic) -> None:
        """End one subscription. Harmless when there is none."""
        feed = self._feeds.get(str(topic))
        if feed is not None and feed.subscribers.pop(subscriber, None) is not None:
            await self._leave_if_idle(feed)

    async def disconnect(self, subscriber: Subscriber) -> None:
        """End every subscription of a connection."""
        for feed in list(self._feeds.values()):
            if feed.subscribers.pop(subscriber, None) is not None:
                await self._leave_if_idle(feed)

    async def _joined(self, topic: Topic) -> TopicFeed:
        async with self._membership:
            self._start()
            feed = self._feeds.get(str(topic))
            if feed is None:
                feed = self._feeds[str(topic)] = TopicFeed(topic)
                await self._join(feed)
                try:
                    await self._correct(feed)
                except UnavailableError:
                    del self._feeds[str(topic)]
                    raise
            return feed

    async def _join(self, feed: TopicFeed) -> None:
        """Join the topic's group. Without the layer the topic still heals, a second late."""
        try:
            async with asyncio.timeout(LAYER_TIMEOUT_S):
                if self._channel is None:
                    self._channel = await self._layer.new_channel()
                    self._has_channel.set()
                await self._layer.group_add(feed.topic.group, self._channel)
            feed.is_joined = True
        except LAYER_ERRORS as exc:
            log.warning("topic_not_joined", topic=str(feed.topic), error=repr(exc))

    async def _leave_if_idle(self, feed: TopicFeed) -> None:
        async with self._membership:
            topic = str(feed.topic)
            if feed.subscribers or self._feeds.get(topic) is not feed:
                return
            del self._feeds[topic]
            if not feed.is_joined:
                return
            try:
                async with asyncio.timeout(LAYER_TIMEOUT_S):
                    await self._layer.group_discard(feed.topic.group, self._channel)
            except LAYER_ERRORS as exc:
                log.warning("topic_not_left", topic=topic, error=repr(exc))

    def _start(self) -> None:
        """Start lazily: there is no lifespan event to start from."""
        if self._tasks:
            return
        for loop in (self._receive, self._heal, self._rejoin, self._beat):
            task = asyncio.get_running_loop().create_task(loop(), name=f"hub{loop.__name__}")
            task.add_done_callback(self._on_loop_end)
            self._tasks.append(task)

    async def _receive(self) -> None:
        """Apply what comes through the layer."""
        await self._has_channel.wait()
        while True:
            try:
                topic, state = decode_change(await self._layer.receive(self._channel))
            except UnreadableChangeError as exc:
                log.warning("change_dropped", error=repr(exc.__cause__))
                continue
            feed = self._feeds.get(topic)
            if feed is not None and not feed.accept(state, self._clock.now()):
                log.info("epoch_changed", room=state.id, epoch=state.epoch)
                self._heal_now.set()

    async def _heal(self) -> None:
        """Compare every mirror with the store each second, so that nothing lost stays lost."""
        while True:
            try:
                for feed in list(self._feeds.values()):
                    await self._correct(feed)
                lease_age_s = await self._store.lease_age_s()
            except UnavailableError as exc:
                log.warning("hub_waits_for_store", error=str(exc.__cause__))
                lease_age_s = None
            except Exception:  # a bug must not end the healing; it does end the vouching
                log.exception("heal_failed")
                lease_age_s = None
            self._judge_liveness(lease_age_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(HEAL_S):
                    await self._heal_now.wait()
            self._heal_now.clear()

    async def _rejoin(self) -> None:
        """Join the groups that could not be joined while the layer was away."""
        while True:
            await asyncio.sleep(HEAL_S)
            for feed in list(self._feeds.values()):
                if not feed.is_joined:
                    async with self._membership:
                        if self._feeds.get(str(feed.topic)) is feed:
                            await self._join(feed)
                    break  # one a second: while the layer hangs, each costs its time-out

    async def _correct(self, feed: TopicFeed) -> None:
        marks = await self._store.marks(feed.topic)
        held = feed.marks()
        differing = [room_id for room_id, mark in marks.items() if held.get(room_id) != mark]
        states = await self._store.states_of(differing) if differing else []
        now = self._clock.now()
        for state in states:
            feed.correct(state, now)
        feed.forget(held.keys() - marks.keys(), now)

    def _judge_liveness(self, lease_age_s: float | None) -> None:
        """Decide whether to vouch for the screens; on coming back, vouch at once."""
        was_live = self._may_vouch()
        self._is_lease_young = lease_age_s is not None and lease_age_s <= LEASE_MAX_AGE_S
        self._judged_at = asyncio.get_running_loop().time()
        if self._may_vouch() == was_live:
            return
        log.warning("liveness_changed", is_live=not was_live, lease_age_s=lease_age_s)
        if not was_live:
            self._send_heartbeats()

    def _may_vouch(self) -> bool:
        """Say whether the last judgement was good and is recent."""
        age_s = asyncio.get_running_loop().time() - self._judged_at
        return self._is_lease_young and age_s <= JUDGEMENT_MAX_AGE_S

    async def _beat(self) -> None:
        """Vouch for the screens every few seconds; stay silent where that is not possible."""
        while True:
            await asyncio.sleep(protocol.HEARTBEAT_S)
            if self._may_vouch():
                self._send_heartbeats()

    def _send_heartbeats(self) -> None:
        everybody = {s for feed in self._feeds.values() for s in feed.subscribers}
        known: Digests = {}
        for subscriber in everybody:
            subscriber.push_reply(self._heartbeat(subscriber, known))

    def _heartbeat(self, subscriber: Subscriber, known: Digests) -> str:
        """Encode a heartbeat; `known` keeps each digest that was computed for this beat."""
        digests = {}
        for topic, feed in self._feeds.items():
            if rendering := feed.subscribers.get(subscriber):
                key = topic, rendering.audience
                if key not in known:
                    known[key] = feed.digest(rendering.audience)
                digests[topic] = known[key]
        return protocol.heartbeat(self._clock.now(), digests)

    def _on_loop_end(self, task: asyncio.Task[None]) -> None:
        """Log the end of a loop by a bug. Without its loops a hub must not vouch for anything."""
        if not task.cancelled() and (exc := task.exception()):
            self._is_lease_young = False
            log.critical("hub_loop_died", loop=task.get_name(), exc_info=exc)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def shared_hub() -> Hub:
    """Return the hub of the running event loop, made on first use."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(shared_store(), get_channel_layer(), SYSTEM_CLOCK)
    return _hubs[loop]
