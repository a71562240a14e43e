"""One topic in one process: who follows it in which form, and what they have been told.

Pure in-memory bookkeeping; the hub feeds it and does all waiting. Changes are marked and told
together: only the newest state of a room is encoded, once per rendering, however many changes lie
between two tellings and however many subscribers there are.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from realtime.delivery.encoded_frame import Batch, Frame, Key
from realtime.delivery.transports import Transport
from realtime.hub.fragments import FragmentCache, Rendering
from realtime.protocol import messages
from realtime.state.audience import may_read
from realtime.state.digest import MODULUS, mark_digest
from realtime.state.live_state import Audience, LiveState, Mark
from realtime.state.topics import Topic

FULL_KEPT = timedelta(seconds=1)
SUMMARY = "summary"  # its place among a topic's keys, beside room ids


class Subscriber(Protocol):
    """A connection, as the hub sees it."""

    @property
    def wire(self) -> Transport:
        """The way out."""
        ...


class TopicSubscribers:
    """The subscribers of one topic, and the states that they have been told."""

    def __init__(self, topic: Topic, states: Iterable[LiveState], cache: FragmentCache) -> None:
        self.topic = topic
        self._name = str(topic)
        self._cache = cache
        self._followers: dict[Rendering, dict[Subscriber, Transport]] = {}
        self._told: dict[str, LiveState] = {}
        self._changed: dict[str, LiveState | None] = {}  # None: left the topic
        self._digests = dict.fromkeys(Audience, 0)
        self._summaries: dict[Rendering, str] = {}
        self._full: dict[Rendering, tuple[datetime, Frame]] = {}
        for state in states:
            self._tell(state.id, state)

    @property
    def is_idle(self) -> bool:
        """Say whether nobody follows the topic."""
        return not self._followers

    def digest(self, audience: Audience) -> int:
        """Return the digest over the rooms that this audience has been told of."""
        return self._digests[audience]

    def is_readable(self, audience: Audience) -> bool:
        """Say whether this audience may read anything of the topic."""
        return any(may_read(state, audience) for state in self._told.values())

    def add(self, subscriber: Subscriber, rendering: Rendering) -> None:
        """Let a connection follow, in this form from now on."""
        self.remove(subscriber)
        self._followers.setdefault(rendering, {})[subscriber] = subscriber.wire

    def remove(self, subscriber: Subscriber) -> None:
        """End it. Harmless when there is none."""
        for rendering, followers in list(self._followers.items()):
            followers.pop(subscriber, None)
            if not followers:
                del self._followers[rendering]
                self._summaries.pop(rendering, None)

    def mark(self, room_id: str, state: LiveState | None) -> None:
        """Note the newest state of a room, or that it has left the topic."""
        self._changed[room_id] = state

    def snapshot(self, rendering: Rendering, have: Mapping[str, Mark], now: datetime) -> Frame:
        """Encode the rooms that differ from what the client has, and those it has in vain.

        `full` tells a client that named nothing that these are all rooms there are.
        """
        if not have:
            return self._full_snapshot(rendering, now)
        readable = {s.id: s for s in self._told.values() if may_read(s, rendering.audience)}
        differing = [s for s in readable.values() if have.get(s.id) != s.mark]
        bodies = [self._cache.room(s, rendering, now).body for s in differing]
        return self._encode_snapshot(rendering, bodies, have.keys() - readable.keys(), now)

    def _full_snapshot(self, rendering: Rendering, now: datetime) -> Frame:
        """Return all rooms, encoded once for everybody who comes within FULL_KEPT.

        When a thousand screens come back together, each would else cost a join of all rooms.
        """
        known = self._full.get(rendering)
        if known is None or not timedelta(0) <= now - known[0] <= FULL_KEPT:
            rooms = (s for s in self._told.values() if may_read(s, rendering.audience))
            bodies = [self._cache.room(s, rendering, now).body for s in rooms]
            frame = self._encode_snapshot(rendering, bodies, (), now, full=True)
            known = self._full[rendering] = now, frame
        return known[1]

    def _encode_snapshot(
        self,
        rendering: Rendering,
        bodies: Iterable[str],
        gone: Iterable[str],
        now: datetime,
        *,
        full: bool = False,
    ) -> Frame:
        extra: dict[str, object] = {"full": full}
        if rendering.view is not None:
            extra["summary"] = self._summarise(rendering, now)
        return Frame(messages.snapshot(self._name, now, bodies, gone, **extra))

    def flush(self, now: datetime) -> Iterator[tuple[list[Transport], Batch]]:
        """Tell what was marked: for each rendering the ways out and the frames they get."""
        changes = [
            (room_id, before, after)
            for room_id, after in self._changed.items()
            if (before := self._told.get(room_id)) is not after
        ]
        self._changed = {}
        for room_id, _, after in changes:
            self._tell(room_id, after)
        for rendering, followers in self._followers.items():
            frames = self._frames(rendering, changes, now)
            if frames:
                yield list(followers.values()), Batch(frames)

    def _tell(self, room_id: str, state: LiveState | None) -> None:
        self._full.clear()
        for one, sign in ((self._told.get(room_id), -1), (state, 1)):
            for audience in Audience:
                if one is not None and may_read(one, audience):
                    share = sign * mark_digest(one)
                    self._digests[audience] = (self._digests[audience] + share) % MODULUS
        if state is None:
            self._told.pop(room_id, None)
        else:
            self._told[room_id] = state

    def _frames(
        self,
        rendering: Rendering,
        changes: Iterable[tuple[str, LiveState | None, LiveState | None]],
        now: datetime,
    ) -> dict[Key, Frame]:
        """Encode each change for one form: a room's newest state, or that it is gone."""
        frames: dict[Key, Frame] = {}
        audience = rendering.audience
        for room_id, before, after in changes:
            if after is not None and may_read(after, audience):
                text = messages.room(self._name, self._cache.room(after, rendering, now).body)
            elif before is not None and may_read(before, audience):
                text = messages.snapshot(self._name, now, (), [room_id], full=False)
            else:
                continue
            frames[self._name, room_id] = Frame(text)
        if frames and rendering.view is not None:
            html = self._summarise(rendering, now)
            if html != self._summaries.get(rendering):
                self._summaries[rendering] = html
                frames[self._name, SUMMARY] = Frame(messages.summary(self._name, html))
        return frames

    def _summarise(self, rendering: Rendering, now: datetime) -> str:
        shown = [
            self._cache.room(state, rendering, now).state
            for state in self._told.values()
            if may_read(state, rendering.audience)
        ]
        return self._cache.summary(shown, rendering, now)
