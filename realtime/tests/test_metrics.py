"""The registry and the worker's own metrics server."""

import urllib.request
from datetime import timedelta

import pytest

from booking.tests.factories import NOW
from realtime import metrics
from realtime.metrics import REGISTRY, count_close, metrics_server, seconds_since

ALLOWED_LABELS = {"path", "loop", "reason", "code", "cause", "outcome"}


def closes(code: str) -> float:
    return REGISTRY.get_sample_value("meeting_rooms_socket_closes_total", {"code": code})


def test_registry__every_metric__has_a_prefix_a_help_text_and_a_unit():
    for family in REGISTRY.collect():
        assert family.name.startswith(("meeting_rooms_", "process_"))
        assert family.documentation
        if family.type == "histogram":
            assert family.name.endswith("_seconds")


def test_labels__of_every_sample__are_from_fixed_sets():
    metrics.send_path.info({"path": "asgi", "loop": "asyncio"})
    samples = [s for family in REGISTRY.collect() for s in family.samples]
    used = {name for s in samples for name in s.labels if s.name.startswith("meeting_rooms_")}
    assert used - {"le"} <= ALLOWED_LABELS


def test_counters__used_by_an_alert__exist_from_the_start():
    assert closes("4408") is not None
    dropped = REGISTRY.get_sample_value("meeting_rooms_publishes_dropped_total")
    assert dropped is not None


@pytest.mark.parametrize("code,label", [(4408, "4408"), (3777, "other"), (None, "other")])
def test_count_close__any_code_from_a_client__is_a_known_label(code, label):
    before = closes(label)
    count_close(code)
    assert closes(label) == before + 1
    assert closes("3777") is None


def test_seconds_since__instant_in_the_future__is_zero():
    assert seconds_since(NOW + timedelta(seconds=1), NOW) == 0
    assert seconds_since(NOW, NOW + timedelta(seconds=1.5)) == 1.5


def test_server__while_open__answers_and_then_frees_the_port():
    with metrics_server("127.0.0.1", 0) as port:
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5)
        assert b"meeting_rooms_projector_lag_seconds" in answer.read()
        with pytest.raises(OSError, match="in use"), metrics_server("127.0.0.1", port):
            pass
    with metrics_server("127.0.0.1", port) as again:
        assert again == port
