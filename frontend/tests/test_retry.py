"""Every script of ours that holds a socket comes back by one rule (docs/scaling.md)."""

import re

import pytest
from django.conf import settings

SCRIPTS = settings.BASE_DIR / "frontend" / "static" / "frontend"
RULE = {"RETRY_LEAST_MS": 200, "RETRY_MS": 1_000, "RETRY_MOST_MS": 5_000}


@pytest.mark.parametrize(
    "name", [p.name for p in SCRIPTS.glob("*.js") if "WebSocket(" in p.read_text()]
)
def test_script__that_opens_sockets__waits_5_s_at_most(name):
    found = dict(re.findall(r"(RETRY_\w+) = (\d+)", (SCRIPTS / name).read_text()))
    assert {key: int(value) for key, value in found.items()} == RULE
