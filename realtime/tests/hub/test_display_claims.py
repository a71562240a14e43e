"""What a public page claims reaches neither the alert's metric nor a signed-in page's row."""

from pathlib import Path

import pytest

from booking.tests.factories import NOW
from meeting_rooms.kernel.clock import FixedClock
from realtime.hub.displays import DisplayLog
from realtime.metrics import REGISTRY
from realtime.state.display_freshness import MAX_STALE_S
from realtime.state.live_state import Audience
from realtime.tests.hub.test_displays import connect, live_store, report

__all__ = ["live_store"]  # a fixture
ALERTED = "meeting_rooms_commit_to_screen_seconds"
CLAIMED = "meeting_rooms_commit_to_public_screen_seconds"


@pytest.fixture
def kept(live_store) -> DisplayLog:
    return DisplayLog(live_store, FixedClock(NOW))


def timed(name: str) -> tuple[float, float]:
    return tuple(REGISTRY.get_sample_value(f"{name}_{part}") for part in ("count", "sum"))


@pytest.mark.parametrize(
    "audience,name,other",
    [(Audience.STAFF, ALERTED, CLAIMED), (Audience.PUBLIC, CLAIMED, ALERTED)],
)
def test_seen__lags__are_timed_by_audience_even_of_connections_that_are_not_kept(
    kept, audience, name, other
):
    before, others = timed(name), timed(other)
    report(kept, "unknown", 250, 750, audience=audience)
    assert timed(name) == (before[0] + 2, pytest.approx(before[1] + 1))
    assert timed(other) == others


def test_alerts__of_screens__read_no_claim_of_public_pages():
    alerts = (Path(__file__).resolve().parents[3] / "infra/grafana/alerts.yml").read_text()
    assert f"{ALERTED}_bucket" in alerts
    assert CLAIMED not in alerts


async def test_seen__public_page_with_a_signed_in_pages_name__does_not_replace_it(kept, live_store):
    connect(kept, "own", Audience.STAFF)
    connect(kept, "stranger")
    report(kept, "own", 40, display="front-desk", audience=Audience.STAFF)
    report(kept, "stranger", 3_000_000, display="front-desk", stale_s=9e15)
    await kept.flush()
    found = {d.audience: d for d in await live_store.displays(limit=9)}
    assert found[Audience.STAFF].p95_ms == 40
    assert found[Audience.PUBLIC].stale_s == MAX_STALE_S
