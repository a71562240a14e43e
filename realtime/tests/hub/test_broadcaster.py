"""A single change is sent at once; changes shortly after a flush are sent together."""

import asyncio
from contextlib import suppress

from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.delivery.encoded_frame import Batch
from realtime.hub.broadcaster import PAUSE_S, Broadcaster
from realtime.hub.fragments import Rendering
from realtime.hub.mirror import Mirror
from realtime.state.live_state import Audience
from realtime.state.topics import Topic
from realtime.tests.factories import live

PASSES = 5  # passes of the event loop: enough to send a change that is not delayed


class Screen:
    """A subscriber and its transport. It records the time and the frame count of each batch."""

    def __init__(self) -> None:
        self.batches: list[tuple[float, int]] = []

    @property
    def transport(self) -> "Screen":
        return self

    def push(self, batch: Batch) -> None:
        self.batches.append((asyncio.get_running_loop().time(), len(batch.frames)))


async def test_run__changes_close_together__the_first_is_sent_at_once_and_the_rest_together():
    broadcaster, screen = Broadcaster(Mirror(), SYSTEM_CLOCK), Screen()
    broadcaster.follow(screen, Topic("building", "house"), Rendering(Audience.STAFF))
    running = asyncio.ensure_future(broadcaster.run())
    try:
        for first in (1, 4):  # the second iteration: again after a pause without changes
            broadcaster.changed(None, live("r1", first))
            for _ in range(PASSES):
                await asyncio.sleep(0)
            assert [frames for _, frames in screen.batches] == [1]
            broadcaster.changed(None, live("r1", first + 1))
            broadcaster.changed(None, live("r2", first + 2))
            await asyncio.sleep(3 * PAUSE_S)
            (lone_at, _), (close_at, frames) = screen.batches
            assert frames == 2
            assert close_at - lone_at >= PAUSE_S
            screen.batches.clear()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
