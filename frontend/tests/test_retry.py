"""All our scripts with a socket reconnect by the same rule (docs/scaling.md)."""

import re

import pytest
from django.conf import settings

SCRIPTS = settings.BASE_DIR / "frontend" / "static" / "frontend"
RULE = {"RETRY_LEAST_MS": 200, "RETRY_MS": 1_000, "RETRY_MOST_MS": 5_000}


@pytest.mark.parametrize(
    "name", [p.name for p in SCRIPTS.glob("*.js") if "WebSocket(" in p.read_text()]
)
def test_script__that_opens_sockets__waits_at_most_5_s(name):
    found = dict(re.findall(r"(RETRY_\w+) = (\d+)", (SCRIPTS / name).read_text()))
    assert {key: int(value) for key, value in found.items()} == RULE
