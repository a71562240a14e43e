"""The hub: one per process, between the channel layer and this process's connections.

It joins one group, mirrors every room, answers snapshots from the mirror and has each change told
to those who follow it. What the layer drops it heals from the store. It claims to be live only
while the store answers and a projector is at work.
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

HEAL_S = 1.0
HEAL_MOST_S = 5.0  # promise P4 allows ten
ROOMS_COMPARED_PER_S = 500  # keeps the cost of healing flat as rooms grow
LEASE_MAX_AGE_S = 3.0  # a projector renews it every second
JUDGEMENT_MAX_AGE_S = 5.0
COMPARED_MAX_AGE_S = 6.0  # a page may be answered from a mirror that was compared this lately


class Hub:
    """The mirror of one process, kept true, and the way to follow it.

    `start` runs it; what its loops do is public, so that it can be run step by step as well.
    """

    def __init__(self, store: LiveStore, layer: BaseChannelLayer, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._mirror = Mirror()
        self.broadcast = Broadcaster(self._mirror, clock)
        self._heal_now = asyncio.Event()
        self._layer = LayerLink(layer, on_change=self.accept, on_return=self._on_layer_return)
        self._tasks: list[asyncio.Task[None]] = []
        self._comparing = asyncio.Lock()
        self._compared_at = -inf  # loop time
        self._is_lease_young = False
        self._proved_at = -inf  # loop time at which a projector last said that it is at work
        self._is_whole = True  # no loop of it has died
        self._judged_at = -inf  # loop time of the last judgement of liveness

    async def subscribe(
        self,
        subscriber: Subscriber,
        topic: Topic,
        rendering: Rendering,
        have: dict[str, Mark],
    ) -> None:
        """Send a snapshot of the topic, then every change of it.

        Raises: NotFoundError (staff) or NotAuthenticatedError (public) for a topic that is not
        there or not theirs, which the public cannot tell apart; UnavailableError.
        """
        await self._loaded()
        if not any(may_read(s, rendering.audience) for s in self._mirror.states(topic)):
            if rendering.audience is Audience.PUBLIC:
                raise NotAuthenticatedError(f"Sign in to follow '{topic}', or check its name.")
            raise NotFoundError(f"There is no topic '{topic}' with rooms in it.")
        feed = self.broadcast.follow(subscriber, topic, rendering)
        subscriber.wire.reply(feed.snapshot(rendering, have, self._clock.now()))
        if self.is_live():
            subscriber.wire.beat(self.broadcast.heartbeat(subscriber, self._proved_at))

    def unsubscribe(self, subscriber: Subscriber, topic: Topic) -> None:
        """End one subscription. Harmless when there is none."""
        self.broadcast.unfollow(subscriber, topic)

    def disconnect(self, subscriber: Subscriber) -> None:
        """End every subscription of a connection."""
        self.broadcast.leave(subscriber)

    async def show(self, topic: Topic, rendering: Rendering) -> list[Shown]:
        """Return the rooms of a topic as a page shows them, in no order.

        Guarantees: compared with the store within COMPARED_MAX_AGE_S. Raises UnavailableError.
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
        """Run the loops of the hub from here on."""
        loops: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = (
            self._layer.listen,
            self._layer.probe,
            self._heal,
            self._beat,
            self.broadcast.run,
        )
        for loop in loops:
            task = asyncio.get_running_loop().create_task(loop(), name=f"hub.{loop.__name__}")
            task.add_done_callback(self._on_loop_end)
            self._tasks.append(task)

    def accept(self, state: LiveState, published_at: float) -> None:
        """Apply what came through the layer."""
        before = self._mirror.get(state.id)
        match self._mirror.accept(state):
            case Verdict.OLD:
                return
            case Verdict.OTHER_EPOCH:
                metrics.epoch_changes_total.inc()
                log.info("epoch_changed", room=state.id, epoch=state.epoch)
                self._heal_now.set()
                return
            case Verdict.GAP:
                metrics.version_gaps_total.inc()
            case Verdict.NEXT:
                pass
        self.broadcast.changed(before, state, published_at)

    def _on_layer_return(self) -> None:
        """Resync everything: what was published meanwhile is lost for good."""
        metrics.resyncs_total.labels(cause="layer").inc()
        self._heal_now.set()

    async def _heal(self) -> None:
        """Check every second or so; nothing lost stays lost."""
        while True:
            await self.check()
            with suppress(TimeoutError):
                async with asyncio.timeout(HEAL_S):
                    await self._heal_now.wait()

    async def check(self) -> None:
        """Compare the mirror with the store where that is due, and judge whether to vouch."""
        lease_age_s, skew_s = None, 0.0
        try:
            if self._is_compare_due():
                await self.compare()
            skew_s = await self._store.clock_skew_s(self._clock.now())
            lease_age_s = await self._store.lease_age_s()
        except UnavailableError as exc:
            log.warning("hub_waits_for_store", error=exc)
        except Exception:  # a bug must not end the healing; it does end the vouching
            log.exception("heal_failed")
        self._judge_liveness(lease_age_s, skew_s)

    def _is_compare_due(self) -> bool:
        """Say whether to compare now: at once when told to, else less often the more rooms."""
        if self._heal_now.is_set() or self._layer.is_deaf:
            return True
        interval_s = min(max(HEAL_S, len(self._mirror) / ROOMS_COMPARED_PER_S), HEAL_MOST_S)
        return asyncio.get_running_loop().time() - self._compared_at >= interval_s - HEAL_S / 2

    async def compare(self) -> None:
        """Make the mirror equal to the store. Raises UnavailableError."""
        async with self._comparing:
            self._heal_now.clear()
            known = self._mirror.room_ids()  # before the store is read: one made later is not gone
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

    def _judge_liveness(self, lease_age_s: float | None, skew_s: float) -> None:
        """Decide whether to vouch for the screens; on coming back, vouch at once.

        Screens take the time from this process, so one whose clock is off must not vouch either.
        """
        was_live = self.is_live()
        is_young = lease_age_s is not None and lease_age_s <= LEASE_MAX_AGE_S
        self._is_lease_young = is_young and abs(skew_s) <= MAX_SKEW_S
        self._judged_at = asyncio.get_running_loop().time()
        if lease_age_s is not None:
            self._proved_at = self._judged_at - lease_age_s
        metrics.is_vouching.set(self.is_live())
        if self.is_live() == was_live:
            return
        log.warning(
            "liveness_changed", is_live=not was_live, lease_age_s=lease_age_s, skew_s=skew_s
        )
        if not was_live:
            self.broadcast.beat(self._proved_at)

    def is_live(self) -> bool:
        """Say whether the last judgement was good and is recent, and the mirror was compared.

        Never again after a loop has died: then the process is to be restarted.
        """
        now = asyncio.get_running_loop().time()
        is_judged = now - self._judged_at <= JUDGEMENT_MAX_AGE_S
        is_compared = now - self._compared_at <= HEAL_MOST_S + JUDGEMENT_MAX_AGE_S
        return self._is_whole and self._is_lease_young and is_judged and is_compared

    async def _beat(self) -> None:
        """Vouch for the screens every few seconds; stay silent where that is not possible."""
        while True:
            await asyncio.sleep(messages.HEARTBEAT_S)
            if self.is_live():
                self.broadcast.beat(self._proved_at)

    def _on_loop_end(self, task: asyncio.Task[None]) -> None:
        """Log the end of a loop by a bug. Without its loops a hub must not vouch for anything."""
        if not task.cancelled() and (exc := task.exception()):
            self._is_whole = False
            log.critical("hub_loop_died", loop=task.get_name(), exc_info=exc)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def shared_hub() -> Hub:
    """Return the hub of the running event loop, started on first use: Daphne has no lifespan."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        hub = _hubs[loop] = Hub(shared_store(), get_channel_layer(), SYSTEM_CLOCK)
        hub.start()
    return _hubs[loop]
