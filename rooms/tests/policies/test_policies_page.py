"""docs/policies.md lists every rule with its real default."""

import re
from pathlib import Path

from rooms.domain.effective_policy import LISTED_RULES, SINGLE_RULES, EffectivePolicy

PAGE = Path(__file__).resolve().parents[3] / "docs" / "policies.md"
WORDS = {True: "yes", False: "no", None: "never"}


def told(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return WORDS[value]
    return str(value) if isinstance(value, str | int) else "none"


def test_page__against_the_rulebook__lists_every_default():
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE.read_text(), re.MULTILINE)
    listed = {rule: default.strip() for rule, default in rows}
    book = EffectivePolicy()
    expected = {name: told(getattr(book, name)) for name in (*SINGLE_RULES, *LISTED_RULES)}
    assert listed == expected | {"hours": "always"}
