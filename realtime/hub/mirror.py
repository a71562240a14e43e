"""The mirror: the newest live state of every room that this process knows of. Pure bookkeeping."""

from collections.abc import Mapping
from enum import Enum, auto

from realtime.state.live_state import LiveState, Mark
from realtime.state.topics import Topic, topics_of


class Verdict(Enum):
    """What became of a state that arrived."""

    NEXT = auto()  # applied; nothing was missed
    GAP = auto()  # applied; versions between were missed, which a whole state makes good
    OLD = auto()  # known already, or older
    OTHER_EPOCH = auto()  # not applied: only the store knows which of two epochs is newer


class Mirror:
    """Live states by room. Guarantees: within an epoch a room's version never goes back."""

    def __init__(self) -> None:
        self._states: dict[str, LiveState] = {}
        self._topics: dict[Topic, dict[str, None]] = {}  # the rooms of each

    def __len__(self) -> int:
        return len(self._states)

    def get(self, room_id: str) -> LiveState | None:
        """Return a room's state."""
        return self._states.get(room_id)

    def room_ids(self) -> frozenset[str]:
        """Return the rooms that are known."""
        return frozenset(self._states)

    def states(self, topic: Topic) -> list[LiveState]:
        """Return the states of a topic, without looking at any other room."""
        return [self._states[room_id] for room_id in self._topics.get(topic, ())]

    def accept(self, state: LiveState) -> Verdict:
        """Apply a state that came through the layer, which may repeat, swap and lose messages."""
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
        """Apply a state just read from the store, whose epoch is the true one; say if it was news.

        The layer may have brought a newer version while the store was being read; that one stays.
        """
        held = self._states.get(state.id)
        if held is not None and held.epoch == state.epoch and state.version <= held.version:
            return False
        self._put(state)
        return True

    def differing(self, marks: Mapping[str, Mark]) -> list[str]:
        """Return the rooms of which the store holds something else."""
        held = self._states
        return [
            room_id
            for room_id, mark in marks.items()
            if (state := held.get(room_id)) is None or state.mark != mark
        ]

    def forget(self, room_id: str) -> None:
        """Drop a room. Harmless when it is not known."""
        if held := self._states.pop(room_id, None):
            self._unlist(held)

    def _put(self, state: LiveState) -> None:
        held, topics = self._states.get(state.id), topics_of(state)
        self._states[state.id] = state
        if held:
            if topics_of(held) == topics:
                return  # nearly always: the room has not moved
            self._unlist(held)
        for topic in topics:
            self._topics.setdefault(topic, {})[state.id] = None

    def _unlist(self, state: LiveState) -> None:
        for topic in topics_of(state):
            rooms = self._topics[topic]
            del rooms[state.id]
            if not rooms:
                del self._topics[topic]
