"""Frames on their way out: encoded once, shared by every connection that gets them. Pure."""

from collections.abc import Mapping
from functools import cached_property
from struct import pack

Key = tuple[str, str]  # topic, and the room or part of the page: a newer frame replaces an older

_TEXT = 0x81  # RFC 6455 section 5.2: final fragment, text; servers do not mask


class Frame:
    """One text frame. `wire` is the same text as it leaves on a socket, framed on first use."""

    __slots__ = ("__dict__", "text")

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def wire(self) -> bytes:
        """Return header and payload as RFC 6455 section 5.2 lays them out."""
        payload = self.text.encode()
        size = len(payload)
        if size < 126:
            return pack("!BB", _TEXT, size) + payload
        if size < 65_536:
            return pack("!BBH", _TEXT, 126, size) + payload
        return pack("!BBQ", _TEXT, 127, size) + payload


class Batch:
    """Frames that leave together, in order, to everybody who follows one topic in one form."""

    __slots__ = ("__dict__", "frames")

    def __init__(self, frames: Mapping[Key, Frame]) -> None:
        self.frames = frames

    @cached_property
    def wire(self) -> bytes:
        """Return all frames joined: one `send` a connection, however many rooms changed."""
        return b"".join(frame.wire for frame in self.frames.values())
