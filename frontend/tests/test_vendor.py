"""Vendored files have the checksums in the lock file."""

import base64
import hashlib
import json
from pathlib import Path

STATIC = Path(__file__).parents[1] / "static" / "frontend"


def test_vendored_files__as_shipped__match_the_lock() -> None:
    locked = json.loads((STATIC / "vendor" / "lock.json").read_text())["files"]
    found = {
        path.relative_to(STATIC).as_posix(): "sha384-"
        + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
        for path in [*STATIC.glob("vendor/*/*"), *STATIC.glob("fonts/*")]
    }
    assert found == locked
