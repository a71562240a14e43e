"""docs/policies.md lists every rule with its real default; its table is up to date."""

import re

import pytest

from rooms.domain.effective_policy import EffectivePolicy
from rooms.domain.listed_rules import LISTED_RULES
from rooms.domain.policy_rules import SINGLE_RULES
from rooms.policies.rules_page import BEGIN, END, EXIT_OUTDATED, PAGE, main, with_rules

WORDS = {True: "yes", False: "no", None: "never"}


def in_words(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return WORDS[value]
    return str(value) if isinstance(value, str | int) else "none"


def test_page__against_the_effective_policy__lists_every_default():
    table = PAGE.read_text().split(BEGIN)[1].split(END)[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, re.MULTILINE)
    listed = {rule: default.strip() for rule, default in rows}
    policy = EffectivePolicy()
    expected = {name: in_words(getattr(policy, name)) for name in (*SINGLE_RULES, *LISTED_RULES)}
    assert listed == expected | {"hours": "always"}


def test_page__against_the_rules__is_up_to_date():
    page = PAGE.read_text()
    assert page == with_rules(page), "Run `python -m rooms.policies.rules_page --write`."


def test_command__outdated_page__is_reported_then_written(tmp_path, capsys):
    path = tmp_path / "policies.md"
    path.write_text(f"Before.\n{BEGIN}| an old table |\n{END}After.\n")
    assert main([], path=path) == EXIT_OUTDATED
    assert "outdated" in capsys.readouterr().err
    assert "an old table" in path.read_text()
    assert main(["--write"], path=path) == 0
    page = path.read_text()
    assert page.startswith(f"Before.\n{BEGIN}\n| rule | default |")
    assert page.endswith(f"|\n\n{END}After.\n")
    assert "an old table" not in page
    assert main([], path=path) == 0


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END}{BEGIN}"])
def test_command__page_without_markers__is_refused(page):
    with pytest.raises(ValueError, match="needs the lines"):
        with_rules(page)
