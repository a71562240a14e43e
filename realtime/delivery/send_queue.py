"""The send queue of a connection that is behind: at most one frame per room, the newest.

A new frame of a room replaces the queued frame of that room, so a client that is behind receives
the present state instead of all states since. Other frames are replies, which the client itself
causes: a client that causes more replies than it reads is disconnected.
"""

from realtime import metrics
from realtime.delivery.encoded_frame import Batch, Frame

MAX_WAITING_REPLIES = 64  # more than a client's MAX_FRAMES_PER_MINUTE
_BEAT = "heartbeat"


class SendQueueFullError(Exception):
    """MAX_WAITING_REPLIES replies are queued: the client does not read them."""


class SendQueue:
    """Frames in sending order. Bounded by the followed rooms plus MAX_WAITING_REPLIES."""

    __slots__ = ("_frames", "_waiting_replies")

    def __init__(self) -> None:
        self._frames: dict[object, Frame] = {}
        self._waiting_replies = 0

    def __bool__(self) -> bool:
        return bool(self._frames)

    def put(self, batch: Batch) -> None:
        """Append frames of rooms; each replaces a queued frame of the same key."""
        for key, frame in batch.frames.items():
            if self._frames.pop(key, None) is not None:
                metrics.frames_conflated_total.inc()
                self._frames.pop(_BEAT, None)  # its digest covers the frame that was just dropped
            self._frames[key] = frame

    def put_beat(self, frame: Frame) -> None:
        """Append a heartbeat; it replaces a queued heartbeat."""
        self._frames.pop(_BEAT, None)
        self._frames[_BEAT] = frame

    def put_reply(self, frame: Frame) -> None:
        """Append any other frame. Raises SendQueueFullError if MAX_WAITING_REPLIES are queued."""
        if self._waiting_replies >= MAX_WAITING_REPLIES:
            raise SendQueueFullError
        self._waiting_replies += 1
        self._frames[object()] = frame

    def take(self) -> Frame:
        """Remove and return the oldest frame. The queue must not be empty."""
        key = next(iter(self._frames))
        if not isinstance(key, tuple | str):
            self._waiting_replies -= 1
        return self._frames.pop(key)

    def take_all(self) -> bytes:
        """Remove all frames and return their bytes on the socket."""
        data = b"".join(frame.wire_bytes for frame in self._frames.values())
        self._frames.clear()
        self._waiting_replies = 0
        return data
