"""The hub: one per process, between the channel layer and this process's connections.

The hub joins one group, mirrors every room, answers subscriptions from the mirror and broadcasts
each change to the subscribers. Changes that the layer dropped are read from the store. The hub
sends heartbeats only while the store answers and a projector renews its lease.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from math import inf
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from channels.layers import BaseChannelLayer, get_channel_layer

from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from meeting_rooms.kernel.errors import NotAuthenticatedError, NotFoundError, UnavailableError
from realtime import metrics
from realtime.hub.broadcaster import Broadcaster
from realtime.hub.fragments import Rendering, Shown
from realtime.hub.mirror import Mirror, Verdict
from realtime.hub.topic_subscribers import Subscriber
from realtime.layer.layer_link import LayerLink
from realtime.protocol import messages
from realtime.state.audience import may_read
from realtime.state.live_state import Audience, LiveState, Mark
from realtime.state.topics import Topic
from realtime.store.live_store import MAX_SKEW_S, LiveStore, shared_store

log = structlog.get_logger(__name__)

# Seconds between two comparisons of mirror and store; a lost change must be repaired within 10 s.
COMPARE_MIN_S, COMPARE_MAX_S = 1.0, 5.0
ROOMS_COMPARED_PER_S = 500  # bounds the cost of comparisons of many rooms
LEASE_MAX_AGE_S = 3.0  # a projector renews it every second
LIVENESS_MAX_AGE_S = 5.0  # seconds; `check` runs every COMPARE_MIN_S
COMPARED_MAX_AGE_S = 6.0  # a page is rendered from a mirror that was compared within this time


class Hub:
    """The mirror of one process, its comparison with the store, and subscriptions to it.

    `start` runs the loops. The steps of the loops are public, so a test can run them one by one.
    """

    def __init__(self, store: LiveStore, layer: BaseChannelLayer, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._mirror = Mirror()
        self.broadcast = Broadcaster(self._mirror, clock)
        self._compare_now = asyncio.Event()
        self._layer = LayerLink(layer, on_change=self.accept, on_return=self._on_layer_return)
        self._tasks: list[asyncio.Task[None]] = []
        self._comparing = asyncio.Lock()
        self._compared_at = -inf  # loop time
        self._is_lease_young = False
        self._proved_at = -inf  # loop time of the last known renewal of the projector lease
        self._are_loops_running = True  # no loop has ended by a bug
        self._liveness_at = -inf  # loop time of the last liveness check

    async def subscribe(
        self,
        subscriber: Subscriber,
        topic: Topic,
        rendering: Rendering,
        have: dict[str, Mark],
    ) -> None:
        """Send a snapshot of the topic, then every change of the topic.

        Raises NotFoundError (staff) or NotAuthenticatedError (public) if the topic has no room that
        the audience may read; the public cannot distinguish missing from forbidden topics. Raises
        UnavailableError if the store does not answer.
        """
        await self._loaded()
        if not any(may_read(s, rendering.audience) for s in self._mirror.states(topic)):
            if rendering.audience is Audience.PUBLIC:
                raise NotAuthenticatedError(
                    f"Sign in to follow the topic '{topic}', or check its name."
                )
            raise NotFoundError(f"The topic '{topic}' has no rooms. Check its name.")
        subscribers = self.broadcast.follow(subscriber, topic, rendering)
        subscriber.transport.reply(subscribers.snapshot(rendering, have, self._clock.now()))
        if self.is_live():
            subscriber.transport.beat(self.broadcast.heartbeat(subscriber, self._proved_at))

    def unsubscribe(self, subscriber: Subscriber, topic: Topic) -> None:
        """End one subscription. Does nothing if the connection does not follow the topic."""
        self.broadcast.unfollow(subscriber, topic)

    def disconnect(self, subscriber: Subscriber) -> None:
        """End every subscription of a connection."""
        self.broadcast.leave(subscriber)

    async def show(self, topic: Topic, rendering: Rendering) -> list[Shown]:
        """Return the rendered rooms of a topic, in no order.

        Guarantees: the mirror was compared with the store within COMPARED_MAX_AGE_S. Raises
        UnavailableError if the store does not answer.
        """
        await self._loaded()
        if asyncio.get_running_loop().time() - self._compared_at > COMPARED_MAX_AGE_S:
            await self.compare()
        now, cache = self._clock.now(), self.broadcast.cache
        states = self._mirror.states(topic)
        return [cache.room(s, rendering, now) for s in states if may_read(s, rendering.audience)]

    async def _loaded(self) -> None:
        if self._compared_at == -inf:
            await self.compare()

    def start(self) -> None:
        """Start the loops of the hub as tasks."""
        loops: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = (
            self._layer.listen,
            self._layer.probe,
            self._check_forever,
            self._beat,
            self.broadcast.run,
        )
        for loop in loops:
            task = asyncio.get_running_loop().create_task(loop(), name=f"hub.{loop.__name__}")
            task.add_done_callback(self._on_loop_end)
            self._tasks.append(task)

    def accept(self, state: LiveState, published_at: float) -> None:
        """Apply a state from the layer to the mirror, and broadcast it if it is new."""
        before = self._mirror.get(state.id)
        match self._mirror.accept(state):
            case Verdict.OLD:
                return
            case Verdict.OTHER_EPOCH:
                metrics.epoch_changes_total.inc()
                log.info("epoch_changed", room=state.id, epoch=state.epoch)
                self._compare_now.set()
                return
            case Verdict.GAP:
                metrics.version_gaps_total.inc()
            case Verdict.NEXT:
                pass
        self.broadcast.changed(before, state, published_at)

    def _on_layer_return(self) -> None:
        """Compare all rooms now: changes published while the link was down did not arrive."""
        metrics.resyncs_total.labels(cause="layer").inc()
        self._compare_now.set()

    async def _check_forever(self) -> None:
        """Run `check` every COMPARE_MIN_S, and at once after a lost change."""
        while True:
            await self.check()
            with suppress(TimeoutError):
                async with asyncio.timeout(COMPARE_MIN_S):
                    await self._compare_now.wait()

    async def check(self) -> None:
        """Compare the mirror with the store if that is due, and update the liveness."""
        lease_age_s, skew_s = None, 0.0
        try:
            if self._is_compare_due():
                await self.compare()
            skew_s = await self._store.clock_skew_s(self._clock.now())
            lease_age_s = await self._store.lease_age_s()
        except UnavailableError as exc:
            log.warning("hub_waits_for_store", error=exc)
        except Exception:  # a bug must not end the loop; without lease age the hub is not live
            log.exception("heal_failed")
        self._update_liveness(lease_age_s, skew_s)

    def _is_compare_due(self) -> bool:
        """Return whether a comparison is due: at once if requested, less often with many rooms."""
        if self._compare_now.is_set() or self._layer.is_deaf:
            return True
        interval_s = min(
            max(COMPARE_MIN_S, len(self._mirror) / ROOMS_COMPARED_PER_S), COMPARE_MAX_S
        )
        return (
            asyncio.get_running_loop().time() - self._compared_at >= interval_s - COMPARE_MIN_S / 2
        )

    async def compare(self) -> None:
        """Make the mirror equal to the store. Raises UnavailableError if the store is away."""
        async with self._comparing:
            self._compare_now.clear()
            # Read before the store: a room that is created in between is not gone.
            known = self._mirror.room_ids()
            marks = await self._store.marks()
            differing = self._mirror.differing(marks)
            states = await self._store.states_of(differing) if differing else []
            for state in states:
                before = self._mirror.get(state.id)
                if self._mirror.correct(state):
                    metrics.rooms_healed_total.inc()
                    self.broadcast.changed(before, state)
            for room_id in known - marks.keys():
                before = self._mirror.get(room_id)
                self._mirror.forget(room_id)
                self.broadcast.changed(before, None)
            self._compared_at = asyncio.get_running_loop().time()
            metrics.mirror_rooms.set(len(self._mirror))

    def _update_liveness(self, lease_age_s: float | None, skew_s: float) -> None:
        """Record whether the lease is young; send a heartbeat at once if the hub became live.

        Screens take the time from this process, so a process whose clock is wrong is not live.
        """
        was_live = self.is_live()
        is_young = lease_age_s is not None and lease_age_s <= LEASE_MAX_AGE_S
        self._is_lease_young = is_young and abs(skew_s) <= MAX_SKEW_S
        self._liveness_at = asyncio.get_running_loop().time()
        if lease_age_s is not None:
            self._proved_at = self._liveness_at - lease_age_s
        metrics.is_vouching.set(self.is_live())
        if self.is_live() == was_live:
            return
        log.warning(
            "liveness_changed", is_live=not was_live, lease_age_s=lease_age_s, skew_s=skew_s
        )
        if not was_live:
            self.broadcast.beat(self._proved_at)

    def is_live(self) -> bool:
        """Return whether lease, clock and comparison with the store were good and are recent.

        Always False after a loop ended by a bug: the process must be restarted then.
        """
        now = asyncio.get_running_loop().time()
        is_checked = now - self._liveness_at <= LIVENESS_MAX_AGE_S
        is_compared = now - self._compared_at <= COMPARE_MAX_S + LIVENESS_MAX_AGE_S
        return self._are_loops_running and self._is_lease_young and is_checked and is_compared

    async def _beat(self) -> None:
        """Send a heartbeat to all subscribers every HEARTBEAT_S while the hub is live."""
        while True:
            await asyncio.sleep(messages.HEARTBEAT_S)
            if self.is_live():
                self.broadcast.beat(self._proved_at)

    def _on_loop_end(self, task: asyncio.Task[None]) -> None:
        """Log the end of a loop by a bug; the hub is not live from then on."""
        if not task.cancelled() and (exc := task.exception()):
            self._are_loops_running = False
            log.critical("hub_loop_died", loop=task.get_name(), exc_info=exc)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def shared_hub() -> Hub:
    """Return the hub of the running event loop; create and start it on first use.

    Daphne has no lifespan events, so no earlier moment exists.
    """
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        hub = _hubs[loop] = Hub(shared_store(), get_channel_layer(), SYSTEM_CLOCK)
        hub.start()
    return _hubs[loop]
