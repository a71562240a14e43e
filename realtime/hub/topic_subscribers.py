"""The subscribers of one topic in one process, and the states that were sent to them.

Pure data in memory; the hub calls it and does all waiting. Changes are marked and then flushed
together: only the newest state of a room is encoded, once per rendering, however many changes
happened since the last flush and however many subscribers the topic has.
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

FULL_KEPT = timedelta(seconds=1)  # how long an encoded full snapshot is shared
SUMMARY = "summary"  # second part of the key of a summary frame, where rooms have their id


class Subscriber(Protocol):
    """The part of a connection that the hub uses."""

    @property
    def transport(self) -> Transport:
        """The transport to the client."""
        ...


class TopicSubscribers:
    """The subscribers of one topic, and the states that were sent to them."""

    def __init__(self, topic: Topic, states: Iterable[LiveState], cache: FragmentCache) -> None:
        self.topic = topic
        self._name = str(topic)
        self._cache = cache
        self._followers: dict[Rendering, dict[Subscriber, Transport]] = {}
        self._sent: dict[str, LiveState] = {}
        self._changed: dict[str, LiveState | None] = {}  # None: the room left the topic
        self._digests = dict.fromkeys(Audience, 0)
        self._summaries: dict[Rendering, str] = {}
        self._full: dict[Rendering, tuple[datetime, Frame]] = {}
        for state in states:
            self._set_sent(state.id, state)

    @property
    def is_idle(self) -> bool:
        """Return whether the topic has no subscribers."""
        return not self._followers

    def digest(self, audience: Audience) -> int:
        """Return the digest over the states that were sent to this audience."""
        return self._digests[audience]

    def is_readable(self, audience: Audience) -> bool:
        """Return whether this audience may read any room of the topic."""
        return any(may_read(state, audience) for state in self._sent.values())

    def add(self, subscriber: Subscriber, rendering: Rendering) -> None:
        """Add a subscriber, or change the rendering of a subscriber."""
        self.remove(subscriber)
        self._followers.setdefault(rendering, {})[subscriber] = subscriber.transport

    def remove(self, subscriber: Subscriber) -> None:
        """Remove a subscriber. Does nothing if it is not subscribed."""
        for rendering, followers in list(self._followers.items()):
            followers.pop(subscriber, None)
            if not followers:
                del self._followers[rendering]
                self._summaries.pop(rendering, None)

    def mark(self, room_id: str, state: LiveState | None) -> None:
        """Record the newest state of a room for the next flush; None: the room left the topic."""
        self._changed[room_id] = state

    def snapshot(self, rendering: Rendering, have: Mapping[str, Mark], now: datetime) -> Frame:
        """Encode the rooms that differ from `have`, and the ids in `have` that must be removed.

        If `have` is empty, the frame has all rooms of the topic and `full` is true.
        """
        if not have:
            return self._full_snapshot(rendering, now)
        readable = {s.id: s for s in self._sent.values() if may_read(s, rendering.audience)}
        differing = [s for s in readable.values() if have.get(s.id) != s.mark]
        bodies = [self._cache.room(s, rendering, now).body for s in differing]
        return self._encode_snapshot(rendering, bodies, have.keys() - readable.keys(), now)

    def _full_snapshot(self, rendering: Rendering, now: datetime) -> Frame:
        """Return a snapshot of all rooms, encoded once for all requests within FULL_KEPT.

        If a thousand screens reconnect at once, they share one encoding.
        """
        known = self._full.get(rendering)
        if known is None or not timedelta(0) <= now - known[0] <= FULL_KEPT:
            rooms = (s for s in self._sent.values() if may_read(s, rendering.audience))
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
        """Mark the changes as sent; yield the transports and their frames for each rendering."""
        changes = [
            (room_id, before, after)
            for room_id, after in self._changed.items()
            if (before := self._sent.get(room_id)) is not after
        ]
        self._changed = {}
        for room_id, _, after in changes:
            self._set_sent(room_id, after)
        for rendering, followers in self._followers.items():
            frames = self._frames(rendering, changes, now)
            if frames:
                yield list(followers.values()), Batch(frames)

    def _set_sent(self, room_id: str, state: LiveState | None) -> None:
        self._full.clear()
        for counted, sign in ((self._sent.get(room_id), -1), (state, 1)):
            for audience in Audience:
                if counted is not None and may_read(counted, audience):
                    share = sign * mark_digest(counted)
                    self._digests[audience] = (self._digests[audience] + share) % MODULUS
        if state is None:
            self._sent.pop(room_id, None)
        else:
            self._sent[room_id] = state

    def _frames(
        self,
        rendering: Rendering,
        changes: Iterable[tuple[str, LiveState | None, LiveState | None]],
        now: datetime,
    ) -> dict[Key, Frame]:
        """Encode each change for one rendering: the newest state of a room, or its removal."""
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
            for state in self._sent.values()
            if may_read(state, rendering.audience)
        ]
        return self._cache.summary(shown, rendering, now)
