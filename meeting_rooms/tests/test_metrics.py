"""`/metrics`: permitted readers, and the metrics that dashboards and alerts query."""

import contextlib
import json
import re
import time
import urllib.request
from pathlib import Path

import pytest
import yaml
from django.test import AsyncRequestFactory

from meeting_rooms.dev.servers.ports import free_port
from meeting_rooms.metrics import is_loopback, metrics
from meeting_rooms.tests.stack import START_TIMEOUT_S, Process, store_environment
from realtime.metrics import REGISTRY

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "infra" / "grafana"
TOKEN = "a-token-of-some-length"
GOOD = {"Authorization": f"Bearer {TOKEN}"}


async def read(peer: str = "127.0.0.1", **headers: str):
    """Request the metrics from a connection whose address is `peer`."""
    request = AsyncRequestFactory().get("/metrics", headers=headers)
    request.META["REMOTE_ADDR"] = peer
    return await metrics(request)


async def test_metrics__from_the_machine_itself__are_prometheus_text(async_client):
    answer = await async_client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.content.decode()
    assert "meeting_rooms_live_connections" in text
    assert "process_resident_memory_bytes" in text
    assert "_created" not in text


async def test_metrics__open_metrics_requested__are_in_that_format():
    answer = await read(Accept="application/openmetrics-text; version=1.0.0")
    assert answer.content.decode().endswith("# EOF\n")


@pytest.mark.parametrize("peer", ["10.0.0.9", "", "testclient", "::ffff:10.0.0.9"])
async def test_metrics__from_another_machine__are_refused_as_a_problem(peer):
    answer = await read(peer)
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert json.loads(answer.content)["code"] == "metrics_not_yours"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
async def test_metrics__through_a_proxy_on_this_machine__are_refused(header):
    assert (await read(**{header: "127.0.0.1"})).status_code == 403


async def test_metrics__behind_a_proxy_without_headers__are_refused(settings):
    settings.BEHIND_PROXY = True
    assert (await read()).status_code == 403


@pytest.mark.parametrize(
    "headers,status",
    [
        (GOOD, 200),
        ({**GOOD, "X-Forwarded-For": "10.0.0.9"}, 200),
        ({"Authorization": f"bearer {TOKEN}"}, 200),
        ({}, 403),
        ({"Authorization": f"Basic {TOKEN}"}, 403),
        ({"Authorization": "Bearer "}, 403),
        ({"Authorization": f"Bearer {TOKEN}x"}, 403),
        ({"Authorization": "Bearer \u00e9"}, 403),
    ],
)
async def test_metrics__with_a_token_set__need_it(settings, headers, status):
    settings.METRICS_TOKEN = TOKEN
    assert (await read(**headers)).status_code == status


async def test_metrics__posted_to__are_not_allowed(async_client):
    assert (await async_client.post("/metrics")).status_code == 405


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback__in_every_notation__is_known(address):
    assert is_loopback(address)


@pytest.mark.django_db(transaction=True)
def test_worker__with_a_metrics_port__serves_until_it_stops(tmp_path):
    port = free_port()
    arguments = ["manage.py", "worker", "--metrics-port", str(port)]
    worker = Process(arguments, tmp_path / "worker.log", store_environment())
    second = None
    try:
        assert "meeting_rooms_projector_lag_seconds" in _text_when_up(worker, port)
        second = Process(arguments, tmp_path / "second.log", store_environment())
        assert second.wait(START_TIMEOUT_S) != 0
        assert "needs its own port" in second.output
    finally:
        worker.stop()
    assert worker.wait(1) == 0
    assert "Traceback" not in worker.output + second.output


def _text_when_up(worker: Process, port: int) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    while worker.is_alive and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            return (
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=START_TIMEOUT_S)
                .read()
                .decode()
            )
        time.sleep(0.05)
    raise AssertionError(f"no metrics:\n{worker.output}")


def names_in(text: str) -> set[str]:
    return set(re.findall(r"\bmeeting_rooms_\w+", text))


def known_names() -> set[str]:
    samples = {s.name for family in REGISTRY.collect() for s in family.samples}
    families = {family.name for family in REGISTRY.collect()}
    return samples | families | {"meeting_rooms_send_path_info"}


@pytest.mark.parametrize("path", ["infra/grafana/dashboard.json", "infra/grafana/alerts.yml"])
def test_dashboards_and_alerts__query_only_existing_metrics(path):
    queried = names_in((ROOT / path).read_text())
    assert queried
    assert queried <= known_names()


def test_docs__list_every_metric_and_no_other():
    documented = names_in((ROOT / "docs" / "metrics.md").read_text())
    own_names = {n for n in known_names() if n.startswith("meeting_rooms_")}
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in own_names}
    counters = {name for name in bases if f"{name}_total" in bases}  # families have no ending
    infos = {name for name in bases if f"{name}_info" in bases}
    assert documented == bases - counters - infos


def test_alerts__each__has_a_summary_a_description_and_a_severity():
    groups = yaml.safe_load((GRAFANA / "alerts.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert rules
    for rule in rules:
        assert rule["annotations"].keys() >= {"summary", "description"}
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_dashboard__every_panel__has_a_query_a_unit_and_a_description():
    panels = json.loads((GRAFANA / "dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert all(target["expr"] for target in panel["targets"])
