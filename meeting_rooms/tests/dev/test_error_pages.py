"""Every refusal takes its code from the enumeration of an app, and the docs list all codes."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from meeting_rooms.dev.error_pages import APPS, main

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("meeting_rooms", "identity", "rooms", "booking", "realtime", "frontend")
# position of the code among the arguments
POSITIONS = {
    "RuleViolation": 0,
    "RefusedRow": 1,
    "RefusedEvent": 2,
}
MEMBERS = [code for codes in APPS.values() for code in codes]


def literal_codes(source: str) -> Iterator[str]:
    """Yield each code that is a string literal."""
    for node in ast.walk(ast.parse(source)):
        given: list[ast.expr] = []
        if isinstance(node, ast.Call) and not ast.unparse(node.func).startswith("log."):
            given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            position = POSITIONS.get(ast.unparse(node.func))
            if position is not None:
                given += node.args[position : position + 1]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value and any(ast.unparse(each) == "default_code" for each in targets):
                given = [node.value]
        for each in given:
            if isinstance(each, ast.Constant | ast.JoinedStr):
                yield ast.unparse(each)


def test_refusals__of_the_product__take_their_code_from_an_enumeration():
    found = {
        f"{path.relative_to(ROOT)}: {code}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if not {"tests", "migrations", "dev"} & set(path.relative_to(ROOT).parts)
        for code in literal_codes(path.read_text())
    }
    assert found == set()


@pytest.mark.parametrize(
    "source",
    [
        'raise ConflictError("no", code="made_up")',
        'RuleViolation("made_up", "detail", "rule", {})',
        'class E: default_code = "made_up"',
        'raise ConflictError("no", code=f"nothing_{side}")',
    ],
)
def test_literal__in_any_form__is_found(source: str):
    assert list(literal_codes(source))


def test_codes__of_all_apps__are_unique_and_explained():
    assert [code for code, count in Counter(MEMBERS).items() if count > 1] == []
    assert all(code.name == code.value.upper() for code in MEMBERS)
    assert [code for code in MEMBERS if not code.meaning.endswith(".")] == []


def test_codes__each__is_used():
    text = "".join(
        path.read_text()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "error_codes.py" and "tests" not in path.parts
    )
    unused = [
        c for codes in APPS.values() for c in codes if f"{codes.__name__}.{c.name}" not in text
    ]
    assert unused == []


def test_page__against_the_codes__is_up_to_date():
    assert main([]) == 0
