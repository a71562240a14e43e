"""A worker that dies by SIGKILL between a commit and its projection: the fail point of a test."""

import os
import signal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_rooms.settings")
django.setup()

from channels.layers import get_channel_layer  # noqa: E402 - the apps are loaded only now

from meeting_rooms.kernel.clock import SYSTEM_CLOCK  # noqa: E402
from realtime.layer.publisher import Publisher  # noqa: E402
from realtime.state.live_state import LiveState  # noqa: E402
from realtime.store.live_store import LiveStore  # noqa: E402
from realtime.worker.process import run_until_signal  # noqa: E402
from realtime.worker.projector import Projector  # noqa: E402
from realtime.worker.worker import Worker  # noqa: E402


class DoomedStore(LiveStore):
    """Kills its process before it writes a change of a known room."""

    async def replace(self, state: LiveState, *, expected: tuple[str, int]) -> bool:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


async def _work(store: LiveStore) -> None:
    store.__class__ = DoomedStore
    projector = Projector(store, Publisher(get_channel_layer()), SYSTEM_CLOCK)
    await Worker(store, projector, SYSTEM_CLOCK).run()


run_until_signal("crashing worker", _work)
