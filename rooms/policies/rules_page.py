"""Writes the table of the rules in `docs/policies.md` from the rules themselves.

`python -m rooms.policies.rules_page` compares the page with the rules, `--write` updates the page.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rooms.domain.listed_rules import LISTED_RULES
from rooms.domain.policy_rule import PolicyRule
from rooms.domain.policy_rules import SINGLE_RULES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "policies.md"
BEGIN = "<!-- rules: written by `python -m rooms.policies.rules_page --write` -->\n"
END = "<!-- end of rules -->\n"
HEAD = ("rule", "default", "meaning", "example", "code")
EXIT_OUTDATED = 1


def rules_table() -> str:
    """Return the table of all rules in Markdown."""
    rules: tuple[PolicyRule, ...] = (*LISTED_RULES.values(), *SINGLE_RULES.values())
    rows = [HEAD, ("---",) * len(HEAD), *map(_cells, rules)]
    return "".join(_row(cells) for cells in rows)


def with_rules(page: str) -> str:
    """Return the page with the present table. Raises ValueError if the page has no markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"The page needs the lines {BEGIN.strip()} and {END.strip()}, in this order."
        raise ValueError(message)
    return "".join((before, BEGIN, "\n", rules_table(), "\n", END, after))


def _cells(rule: PolicyRule) -> tuple[str, ...]:
    codes = ", ".join(f"`{code}`" for code in rule.codes)
    return f"`{rule.name}`", rule.default_text, rule.meaning, rule.example, codes


def _row(cells: Sequence[str]) -> str:
    return f"|{''.join(f' {cell} |' if cell else ' |' for cell in cells)}\n"


def main(argv: Sequence[str], *, path: Path = PAGE) -> int:
    """Compare or write the page and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m rooms.policies.rules_page",
        description="Compares the table of the rules in docs/policies.md with the rules.",
        epilog=f"Exit codes: 0 up to date, {EXIT_OUTDATED} outdated, 2 wrong usage.",
    )
    parser.add_argument("--write", action="store_true", help="Update the page.")
    options = parser.parse_args(argv)
    page = path.read_text(encoding="utf-8")
    wanted = with_rules(page)
    if page == wanted:
        return 0
    if options.write:
        path.write_text(wanted, encoding="utf-8")
        return 0
    sys.stderr.write(
        f"{path.name} is outdated. Run `python -m rooms.policies.rules_page --write`.\n"
    )
    return EXIT_OUTDATED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
