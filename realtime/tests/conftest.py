"""A projector on the test's own stores, with a clock that only the test moves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from booking.tests.factories import NOW
from meeting_rooms.kernel.clock import FixedClock
from realtime.state.live_state import LiveState
from realtime.store.live_store import LiveStore, open_store
from realtime.worker.projector import Projector


@dataclass
class Published:
    """A publisher that keeps the published states."""

    states: list[LiveState] = field(default_factory=list)

    async def publish(self, state: LiveState) -> None:
        self.states.append(state)


@pytest.fixture
async def store() -> AsyncIterator[LiveStore]:
    opened = open_store()
    await opened.prepare()
    yield opened
    await opened.remove((await opened.schedule_versions()).keys())
    await opened.close()


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def projector(store, published, clock) -> Projector:
    return Projector(store, published, clock)
