"""docs/architecture.md names files and functions that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
STEPS = re.findall(r"^\| [^|]+ \| `([\w/.]+)` \| (?:`(\w+)`)? ?\|$", PAGE, re.MULTILINE)


def test_walk__each_step__is_in_its_file():
    assert len(STEPS) > 15
    for path, function in STEPS:
        text = (ROOT / path).read_text()
        assert not function or re.search(rf"def {function}\(", text), (path, function)


def test_paths__of_the_page__exist():
    named = set(
        re.findall(r"`((?:booking|rooms|realtime|frontend|meeting_rooms|infra)/[\w/.]+)`", PAGE)
    )
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
