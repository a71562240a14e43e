"""A short client of the protocol: the reference for what a screen finally shows."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from realtime.state.digest import MODULUS
from realtime.state.live_state import LiveState, Mark


@dataclass
class Screen:
    """A client that follows one topic. `asks` contains the subscriptions to send."""

    topic: str
    rooms: dict[str, dict[str, Any]] = field(default_factory=dict)
    asks: list[dict[str, Any]] = field(default_factory=list)
    history: list[tuple[str, str, int]] = field(default_factory=list)  # room, epoch, version

    def have(self) -> dict[str, Mark]:
        return {r["id"]: (r["epoch"], r["version"]) for r in self.rooms.values()}

    def digest(self) -> int:
        return _digest((room, *mark) for room, mark in self.have().items())

    def subscribe(self) -> None:
        self.asks.append({"type": "subscribe", "topic": self.topic, "have": self.have()})

    def take(self, text: str) -> None:
        frame = json.loads(text)
        match frame["type"]:
            case "snapshot":
                for room in frame["rooms"]:
                    self._apply(room, is_snapshot=True)
                for room_id in frame["gone"]:
                    self.rooms.pop(room_id, None)
            case "room":
                self._apply(frame["room"], is_snapshot=False)
            case "heartbeat":
                if frame["digest"].get(self.topic) != self.digest():
                    self.subscribe()
            case "sync":
                self.asks.append({"type": "ack", "n": frame["n"]})

    def _apply(self, room: dict[str, Any], *, is_snapshot: bool) -> None:
        held = self.rooms.get(room["id"])
        if held is not None and held["epoch"] != room["epoch"] and not is_snapshot:
            self.subscribe()
            return
        is_same_epoch = held is not None and held["epoch"] == room["epoch"]
        if is_same_epoch and room["version"] <= held["version"]:
            return
        self.rooms[room["id"]] = room
        self.history.append((room["id"], room["epoch"], room["version"]))


def topic_digest(states: Iterable[LiveState]) -> int:
    """Return a topic's digest as a client computes it, only from room, epoch and version."""
    return _digest((state.id, state.epoch, state.version) for state in states)


def _digest(marks: Iterable[tuple[str, str, int]]) -> int:
    parts = (f"{room}:{epoch}:{version}" for room, epoch, version in marks)
    return sum(crc32(part.encode()) for part in parts) % MODULUS
