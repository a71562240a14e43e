"""The heartbeat states the age of the lease, the proof that the states are up to date."""

import json
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async

from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.hub.fragments import Rendering
from realtime.hub.hub import LEASE_MAX_AGE_S, Hub
from realtime.state.live_state import Audience
from realtime.state.topics import Topic
from realtime.tests.acceptance.test_convergence import Line, PendingLayer
from rooms.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
make_room = database_sync_to_async(factories.room)
STAFF = Rendering(Audience.STAFF)


async def first_frames(store, projector, lease_age_s: float) -> list[dict]:
    """Return the first frames that a screen gets when the lease was renewed `lease_age_s` ago."""
    room = await make_room()
    await projector.project(room.uuid)
    await store.renew_lease()
    lease_age = timedelta(seconds=lease_age_s)
    renewed = {
        "$set": {
            "renewed_at": {"$subtract": ["$renewed_at", int(lease_age.total_seconds() * 1000)]}
        }
    }
    await store._leases.update_one({}, [renewed])
    hub, connection = Hub(store, PendingLayer(), SYSTEM_CLOCK), Line()
    await hub.check()
    await hub.subscribe(connection, Topic("campus"), STAFF, {})
    return [json.loads(text) for text in connection.texts]


async def test_heartbeat__young_lease__contains_the_age_of_the_lease(store, projector):
    _, heartbeat = await first_frames(store, projector, 2.0)
    assert heartbeat["type"] == "heartbeat"
    assert 2_000 <= heartbeat["age_ms"] < 3_500


async def test_heartbeat__old_lease__is_not_sent(store, projector):
    (snapshot,) = await first_frames(store, projector, LEASE_MAX_AGE_S + 0.1)
    assert snapshot["type"] == "snapshot"
