"""One topic in one process: a mirror of its live states, its subscribers, one encoding per change.

Pure in-memory bookkeeping; the hub feeds it and does all waiting.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from realtime.domain import protocol
from realtime.domain.audience import may_read, redact
from realtime.domain.digest import topic_digest
from realtime.domain.state import Audience, LiveState, Mark
from realtime.domain.topics import Topic
from realtime.fragments import get_view


@dataclass(frozen=True, slots=True)
class Rendering:
    """In which form a subscriber gets the topic. Subscribers of one rendering share every text."""

    audience: Audience
    view: str | None = None


class Subscriber(Protocol):
    """A connection, as the feed sees it. Neither call may wait."""

    def push_room(self, topic: str, room_id: str, text: str) -> None:
        """Take a room's newest frame."""
        ...

    def push_reply(self, text: str) -> None:
        """Take any other frame."""
        ...


class TopicFeed:
    """The mirror and the subscribers of one topic."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.subscribers: dict[Subscriber, Rendering] = {}
        self.is_joined = False  # whether the layer's group delivers to this process
        self._states: dict[str, LiveState] = {}

    def marks(self) -> dict[str, Mark]:
        """Return what the mirror holds, by room."""
        return {room_id: state.mark for room_id, state in self._states.items()}

    def digest(self, audience: Audience) -> int:
        """Return the digest over the rooms that this audience may read."""
        return topic_digest(self._readable(audience))

    def is_readable(self, audience: Audience) -> bool:
        """Say whether this audience may read anything of the topic."""
        return any(True for _ in self._readable(audience))

    def accept(self, state: LiveState, now: datetime) -> bool:
        """Apply a state that came through the layer. Returns False if the store must be asked.

        Next or later version of the same epoch: apply, for a state is whole and needs no other.
        Same or older: ignore. Another epoch: a message cannot tell which of two epochs is newer.
        """
        held = self._states.get(state.id)
        if held is not None and held.epoch != state.epoch:
            return False
        if held is None or state.version > held.version:
            self._apply(state, now)
        return True

    def correct(self, state: LiveState, now: datetime) -> None:
        """Apply a state that was just read from the store, whose epoch is the true one."""
        held = self._states.get(state.id)
        if held is None or held.epoch != state.epoch or state.version > held.version:
            self._apply(state, now)

    def forget(self, room_ids: Iterable[str], now: datetime) -> None:
        """Drop rooms that left the topic, and tell those who could read them."""
        for room_id in room_ids:
            if gone := self._states.pop(room_id, None):
                self._withdraw(gone, now)

    def _withdraw(self, gone: LiveState, now: datetime, still: Audience | None = None) -> None:
        """Tell that a room is gone, but not to the audience that may `still` read it."""
        texts = {
            r: self._encode_snapshot(r, [], [gone.id], now)
            for r in self._renderings()
            if r.audience is not still and may_read(gone, r.audience)
        }
        for subscriber, rendering in list(self.subscribers.items()):
            if rendering in texts:
                subscriber.push_reply(texts[rendering])

    def snapshot(self, rendering: Rendering, have: Mapping[str, Mark], now: datetime) -> str:
        """Encode the rooms that differ from what the client has, and those it has in vain.

        `full` tells a client that named nothing that these are all rooms there are.
        """
        readable = {state.id: state for state in self._readable(rendering.audience)}
        rooms = [s for s in readable.values() if have.get(s.id) != s.mark]
        gone = have.keys() - readable.keys()
        return self._encode_snapshot(rendering, rooms, gone, now, full=not have)

    def _apply(self, state: LiveState, now: datetime) -> None:
        held = self._states.get(state.id)
        self._states[state.id] = state
        if held is not None and held.is_public and not state.is_public:
            self._withdraw(held, now, still=Audience.STAFF)
        texts = {r: self._encode_room(state, r, now) for r in self._renderings()}
        for subscriber, rendering in list(self.subscribers.items()):
            if text := texts[rendering]:
                subscriber.push_room(str(self.topic), state.id, text)

    def _renderings(self) -> set[Rendering]:
        return set(self.subscribers.values())

    def _readable(self, audience: Audience) -> Iterable[LiveState]:
        return (state for state in self._states.values() if may_read(state, audience))

    def _encode_room(self, state: LiveState, rendering: Rendering, now: datetime) -> str | None:
        if not may_read(state, rendering.audience):
            return None
        body = self._body(state, rendering, now)
        return protocol.room(str(self.topic), body, **self._summary(rendering, now))

    def _encode_snapshot(
        self,
        rendering: Rendering,
        rooms: Iterable[LiveState],
        gone: Iterable[str],
        now: datetime,
        *,
        full: bool = False,
    ) -> str:
        bodies = [self._body(state, rendering, now) for state in rooms]
        extra = {"full": full, **self._summary(rendering, now)}
        return protocol.snapshot(str(self.topic), now, bodies, gone, **extra)

    def _body(self, state: LiveState, rendering: Rendering, now: datetime) -> dict[str, Any]:
        shown = redact(state, rendering.audience)
        if rendering.view is None:
            return protocol.room_body(shown)
        html = get_view(rendering.view).room(shown, now)
        return {"id": state.id, "epoch": state.epoch, "version": state.version, "html": html}

    def _summary(self, rendering: Rendering, now: datetime) -> dict[str, str]:
        if rendering.view is None:
            return {}
        shown = [redact(s, rendering.audience) for s in self._readable(rendering.audience)]
        return {"summary": get_view(rendering.view).summary(shown, now)}
