"""Frames that are encoded once and shared by all connections that receive them. Pure."""

from collections.abc import Mapping
from functools import cached_property
from struct import pack

Key = tuple[str, str]  # topic, and room or page part: a newer frame replaces one of the same key

_TEXT = 0x81  # RFC 6455 section 5.2: final fragment, text; servers do not mask


class Frame:
    """One text frame. `wire_bytes`, its bytes on the socket, are computed on first use."""

    __slots__ = ("__dict__", "text")

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def wire_bytes(self) -> bytes:
        """Return header and payload in the format of RFC 6455 section 5.2."""
        payload = self.text.encode()
        size = len(payload)
        if size < 126:
            return pack("!BB", _TEXT, size) + payload
        if size < 65_536:
            return pack("!BBH", _TEXT, 126, size) + payload
        return pack("!BBQ", _TEXT, 127, size) + payload


class Batch:
    """Frames that are sent together, in order, to all subscribers of one topic and rendering."""

    __slots__ = ("__dict__", "frames")

    def __init__(self, frames: Mapping[Key, Frame]) -> None:
        self.frames = frames

    @cached_property
    def wire_bytes(self) -> bytes:
        """Return the bytes of all frames: one `send` per connection, however many rooms changed."""
        return b"".join(frame.wire_bytes for frame in self.frames.values())
