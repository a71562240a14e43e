"""Reports of public pages change neither the alert's metric nor the row of a signed-in page."""

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
def display_log(live_store) -> DisplayLog:
    return DisplayLog(live_store, FixedClock(NOW))


def count_and_sum(name: str) -> tuple[float, float]:
    return tuple(REGISTRY.get_sample_value(f"{name}_{part}") for part in ("count", "sum"))


@pytest.mark.parametrize(
    "audience,name,other",
    [(Audience.STAFF, ALERTED, CLAIMED), (Audience.PUBLIC, CLAIMED, ALERTED)],
)
def test_report__lags_of_an_unknown_connection__are_counted_by_audience(
    display_log, audience, name, other
):
    before, others = count_and_sum(name), count_and_sum(other)
    report(display_log, "unknown", 250, 750, audience=audience)
    assert count_and_sum(name) == (before[0] + 2, pytest.approx(before[1] + 1))
    assert count_and_sum(other) == others


def test_alerts__of_screens__do_not_read_the_metric_of_public_pages():
    alerts = (Path(__file__).resolve().parents[3] / "infra/grafana/alerts.yml").read_text()
    assert f"{ALERTED}_bucket" in alerts
    assert CLAIMED not in alerts


async def test_report__public_page_with_the_name_of_a_signed_in_page__does_not_replace_it(
    display_log, live_store
):
    connect(display_log, "own", Audience.STAFF)
    connect(display_log, "stranger")
    report(display_log, "own", 40, display="front-desk", audience=Audience.STAFF)
    report(display_log, "stranger", 3_000_000, display="front-desk", stale_s=9e15)
    await display_log.flush()
    rows = {d.audience: d for d in await live_store.displays(limit=9)}
    assert rows[Audience.STAFF].p95_ms == 40
    assert rows[Audience.PUBLIC].stale_s == MAX_STALE_S
