"""What waits for one connection that is behind: never more than the newest state of a room.

A room's frame that still waits is replaced by the next one, so a client that is behind skips to the
present instead of replaying the past. Other frames are few, because the client causes them; one
that causes more than it reads is let go.
"""

from realtime import metrics
from realtime.delivery.encoded_frame import Batch, Frame

MAX_WAITING_REPLIES = 64
_BEAT = "heartbeat"


class SendQueueFullError(Exception):
    """The client does not read what it asks for."""


class SendQueue:
    """Frames in the order in which they shall leave. Bounded by rooms followed, plus replies."""

    __slots__ = ("_frames", "_waiting_replies")

    def __init__(self) -> None:
        self._frames: dict[object, Frame] = {}
        self._waiting_replies = 0

    def __bool__(self) -> bool:
        return bool(self._frames)

    def put(self, batch: Batch) -> None:
        """Queue rooms behind all else, each in place of an older frame of the same key."""
        for key, frame in batch.frames.items():
            if self._frames.pop(key, None) is not None:
                metrics.frames_conflated_total.inc()
                self._frames.pop(_BEAT, None)  # it vouches for the frame that was just dropped
            self._frames[key] = frame

    def put_beat(self, frame: Frame) -> None:
        """Queue proof of life behind all else, in place of an older one."""
        self._frames.pop(_BEAT, None)
        self._frames[_BEAT] = frame

    def put_reply(self, frame: Frame) -> None:
        """Queue any other frame. Raises SendQueueFullError beyond MAX_WAITING_REPLIES."""
        if self._waiting_replies >= MAX_WAITING_REPLIES:
            raise SendQueueFullError
        self._waiting_replies += 1
        self._frames[object()] = frame

    def take(self) -> Frame:
        """Take the frame that has waited longest."""
        key = next(iter(self._frames))
        if not isinstance(key, tuple | str):
            self._waiting_replies -= 1
        return self._frames.pop(key)

    def take_all(self) -> bytes:
        """Take everything, as it leaves on a socket."""
        data = b"".join(frame.wire for frame in self._frames.values())
        self._frames.clear()
        self._waiting_replies = 0
        return data
