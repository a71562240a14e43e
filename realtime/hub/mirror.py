"""The mirror: the newest live state of every room, in the memory of one process. Pure."""

from collections.abc import Mapping
from enum import Enum, auto

from realtime.state.live_state import LiveState, Mark
from realtime.state.topics import Topic, topics_of


class Verdict(Enum):
    """The result of applying a state that arrived through the layer."""

    NEXT = auto()  # applied; no version is missing
    GAP = auto()  # applied; versions are missing, but every message carries the complete state
    OLD = auto()  # not applied: the mirror has this version or a newer one
    OTHER_EPOCH = auto()  # not applied: only the store knows which of two epochs is newer


class Mirror:
    """Live states by room. Guarantees: within an epoch a room's version never goes back."""

    def __init__(self) -> None:
        self._states: dict[str, LiveState] = {}
        self._topics: dict[Topic, dict[str, None]] = {}  # ids of the rooms

    def __len__(self) -> int:
        return len(self._states)

    def get(self, room_id: str) -> LiveState | None:
        """Return the state of a room; None if the mirror does not have it."""
        return self._states.get(room_id)

    def room_ids(self) -> frozenset[str]:
        """Return the ids of all rooms in the mirror."""
        return frozenset(self._states)

    def states(self, topic: Topic) -> list[LiveState]:
        """Return the states of a topic. The cost depends only on the number of its rooms."""
        return [self._states[room_id] for room_id in self._topics.get(topic, ())]

    def accept(self, state: LiveState) -> Verdict:
        """Apply a state from the layer, which may repeat, reorder and lose messages."""
        held = self._states.get(state.id)
        if held is None:
            self._put(state)
            return Verdict.NEXT
        if held.epoch != state.epoch:
            return Verdict.OTHER_EPOCH
        if state.version <= held.version:
            return Verdict.OLD
        self._put(state)
        return Verdict.NEXT if state.version == held.version + 1 else Verdict.GAP

    def correct(self, state: LiveState) -> bool:
        """Apply a state that was just read from the store; return whether it changed the mirror.

        The epoch of the store is the valid one. A newer version of that epoch, which the layer
        delivered while the store was read, is kept.
        """
        held = self._states.get(state.id)
        if held is not None and held.epoch == state.epoch and state.version <= held.version:
            return False
        self._put(state)
        return True

    def differing(self, marks: Mapping[str, Mark]) -> list[str]:
        """Return the ids of the rooms whose mark in the store differs from the mirror."""
        held = self._states
        return [
            room_id
            for room_id, mark in marks.items()
            if (state := held.get(room_id)) is None or state.mark != mark
        ]

    def forget(self, room_id: str) -> None:
        """Remove a room. Does nothing if the mirror does not have it."""
        if held := self._states.pop(room_id, None):
            self._unlist(held)

    def _put(self, state: LiveState) -> None:
        held, topics = self._states.get(state.id), topics_of(state)
        self._states[state.id] = state
        if held:
            if topics_of(held) == topics:
                return  # the usual case: the topics of the room are the same
            self._unlist(held)
        for topic in topics:
            self._topics.setdefault(topic, {})[state.id] = None

    def _unlist(self, state: LiveState) -> None:
        for topic in topics_of(state):
            rooms = self._topics[topic]
            del rooms[state.id]
            if not rooms:
                del self._topics[topic]
