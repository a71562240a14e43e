"""How old a hub says that the proof is by which it vouches for its screens."""

import json
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async

from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.hub.fragments import Rendering
from realtime.hub.hub import LEASE_MAX_AGE_S, Hub
from realtime.state.live_state import Audience
from realtime.state.topics import Topic
from realtime.tests.acceptance.test_convergence import Air, Line
from rooms.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
make_room = database_sync_to_async(factories.room)
STAFF = Rendering(Audience.STAFF)


async def greeted(store, projector, lease_age_s: float) -> list[dict]:
    """Return what a screen is sent first, a projector having been at work that long ago."""
    room = await make_room()
    await projector.project(room.uuid)
    await store.renew_lease()
    ago = timedelta(seconds=lease_age_s)
    renewed = {
        "$set": {"renewed_at": {"$subtract": ["$renewed_at", int(ago.total_seconds() * 1000)]}}
    }
    await store._leases.update_one({}, [renewed])
    hub, line = Hub(store, Air(), SYSTEM_CLOCK), Line()
    await hub.check()
    await hub.subscribe(line, Topic("campus"), STAFF, {})
    return [json.loads(text) for text in line.texts]


async def test_heartbeat__young_lease__says_how_old_the_proof_is(store, projector):
    _, heartbeat = await greeted(store, projector, 2.0)
    assert heartbeat["type"] == "heartbeat"
    assert 2_000 <= heartbeat["age_ms"] < 3_500


async def test_heartbeat__old_lease__is_withheld(store, projector):
    (snapshot,) = await greeted(store, projector, LEASE_MAX_AGE_S + 0.1)
    assert snapshot["type"] == "snapshot"
